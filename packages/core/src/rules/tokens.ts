/** Tokens per character, by the bytes it takes in UTF-8: what common tokenizers give for prose, rounded up. */
const BY_BYTES = { one: 0.28, two: 0.5, three: 1, four: 2 }

/** Roles and separators around each message of a prompt. */
export const TOKENS_PER_MESSAGE = 4

/** An estimate, for budgets and for usage that a provider did not tell. Within a third or so for prose; it is marked where it is shown. */
export function estimateTokens(text: string): number {
  let tokens = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) tokens += BY_BYTES.one
    else if (unit < 0x800) tokens += BY_BYTES.two
    // Each half of a pair: together they are a character of four bytes.
    else if (unit >= 0xd800 && unit < 0xe000) tokens += BY_BYTES.four / 2
    else tokens += BY_BYTES.three
  }
  return Math.ceil(tokens)
}
