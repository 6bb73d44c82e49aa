import { sharedNow } from '../lib/clock.ts'

/**
 * A token is the moment that the provider said it at, in four letters, and a space: about as long as tokens are. Tenths of a
 * millisecond of the shared clock, which come round after 28 minutes.
 */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const STAMP_LETTERS = 4
export const TOKEN_BYTES = STAMP_LETTERS + 1
export const UNITS_PER_MS = 10
const ROUND = LETTERS.length ** STAMP_LETTERS

const VALUES = new Int8Array(128)
for (let i = 0; i < LETTERS.length; i++) VALUES[LETTERS.charCodeAt(i)] = i

const unitsNow = (): number => Math.floor(sharedNow() * UNITS_PER_MS) % ROUND

export function tokenNow(): string {
  let rest = unitsNow()
  let text = ' '
  for (let i = 0; i < STAMP_LETTERS; i++) {
    text = (LETTERS[rest % LETTERS.length] ?? '') + text
    rest = Math.floor(rest / LETTERS.length)
  }
  return text
}

const QUOTE = 0x22

/**
 * How long ago each token of a text was said, in units; the text begins at `from` and ends with a quote. Gives the place of the
 * quote, or -1 where the text is not whole.
 */
export function readTokens(bytes: Buffer, from: number, each: (units: number) => void): number {
  const now = unitsNow()
  let at = from
  for (; at < bytes.length && bytes[at] !== QUOTE; at += TOKEN_BYTES) {
    let units = 0
    for (let i = 0; i < STAMP_LETTERS; i++) units = units * LETTERS.length + (VALUES[bytes[at + i] ?? 0] ?? 0)
    each((now - units + ROUND) % ROUND)
  }
  return at < bytes.length ? at : -1
}
