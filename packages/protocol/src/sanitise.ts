// C0 and C1 control characters but tab and line feed. Everything else, bidirectional marks included, is text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g
const CARRIAGE_RETURN = /\r\n?/g

/** Text as it is kept (M8). Applying it twice changes nothing. */
export function sanitise(text: string): string {
  return text.toWellFormed().replace(CARRIAGE_RETURN, '\n').replace(CONTROL, '').trim()
}
