import type { ServerFrameOf } from '@chatbox/protocol'

const encoder = new TextEncoder()

/**
 * Whether the text that was put together here is the stored one (P7). Pages without TLS have no SHA-256: there, length
 * and attempt must do, and they can, because a text of one attempt is always a beginning of it.
 */
export async function isStoredText(
  text: string,
  attempt: number,
  done: Pick<ServerFrameOf<'answer.done'>, 'length' | 'hash' | 'attempt'>,
): Promise<boolean> {
  const bytes = encoder.encode(text)
  if (bytes.length !== done.length) return false
  if (bytes.length === 0) return true
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle
  if (!subtle) return attempt === done.attempt
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes))
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('') === done.hash
}
