import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

export const KEY_BYTES = 32

/** Key objects rather than bytes: they are wiped when they are freed, are never printed, and are faster to use. */
export function derive(secret: KeyObject, use: string): KeyObject {
  const bytes = new Uint8Array(hkdfSync('sha256', secret, '', `chatbox/1/${use}`, KEY_BYTES))
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}
