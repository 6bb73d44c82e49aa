// C0 and C1 control characters but tab and line feed. Everything else, bidirectional marks included, is text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g
const CARRIAGE_RETURN = /\r\n?/g
// Most text has none of these, and to know that costs less than to look for what must go: two ranges instead of four.
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const ANY_CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** Text as it is kept (M8). Applying it twice changes nothing. */
export function sanitise(text: string): string {
  const wellFormed = text.toWellFormed()
  const clean = ANY_CONTROL.test(wellFormed)
    ? wellFormed.replace(CARRIAGE_RETURN, '\n').replace(CONTROL, '')
    : wellFormed
  return clean.trim()
}
