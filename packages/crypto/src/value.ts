import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { Unopenable } from '@chatbox/core'
import { NONCE_BYTES, nextNonce } from './nonces.ts'

/*
 * A sealed value: version (1 byte), length of the key id (1 byte), key id, nonce, ciphertext, tag. The version names the
 * algorithm and the layout of what follows the key id. A version to come has to derive its keys under names of its own
 * (`derive.ts`), so that no key ever serves two algorithms; the head then needs no protection: whatever it is changed to names
 * another key, or none.
 */
const AES_256_GCM = 1
const TAG_BYTES = 16
const HEAD_BYTES = 2
const GCM = { authTagLength: TAG_BYTES }

/** One key, and what values sealed with it begin with. */
export interface SealingKey {
  readonly head: Uint8Array
  readonly secret: KeyObject
}

export function sealingKey(id: string, secret: KeyObject): SealingKey {
  const name = Buffer.from(id, 'latin1')
  return { head: Buffer.from([AES_256_GCM, name.length, ...name]), secret }
}

/** `aad` says where the value belongs; it opens nowhere else. */
export function seal({ head, secret }: SealingKey, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const nonce = nextNonce()
  const cipher = createCipheriv('aes-256-gcm', secret, nonce, GCM)
  cipher.setAAD(aad)
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  const textAt = head.length + NONCE_BYTES
  const value = Buffer.allocUnsafe(textAt + ciphertext.length + TAG_BYTES)
  value.set(head, 0)
  value.set(nonce, head.length)
  value.set(ciphertext, textAt)
  value.set(cipher.getAuthTag(), textAt + ciphertext.length)
  return value
}

/** Fails with `Unopenable` whatever is wrong, and says nothing of what is inside. */
export function open(find: (id: string) => KeyObject | undefined, value: Uint8Array, aad: Uint8Array): Uint8Array {
  const bytes = asBuffer(value)
  const secret = find(keyIdIn(bytes))
  if (!secret) throw new Unopenable('sealed with a key that is not in the ring')
  const nonceAt = HEAD_BYTES + (bytes[1] ?? 0)
  const textAt = nonceAt + NONCE_BYTES
  const tagAt = bytes.length - TAG_BYTES
  if (tagAt < textAt) throw new Unopenable('a sealed value is cut short')
  const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(nonceAt, textAt), GCM)
  decipher.setAAD(aad)
  decipher.setAuthTag(bytes.subarray(tagAt))
  const plaintext = decipher.update(bytes.subarray(textAt, tagAt))
  try {
    decipher.final()
  } catch {
    throw new Unopenable('a sealed value was edited, or is not in its place')
  }
  return plaintext
}

/** Which key of the ring a value was sealed with: what a rotation asks. */
export const keyIdOf = (value: Uint8Array): string => keyIdIn(asBuffer(value))

/** Whether it begins like a sealed value, of a version that is known. */
export const isSealed = (value: Uint8Array): boolean => value[0] === AES_256_GCM

function keyIdIn(bytes: Buffer): string {
  if (bytes[0] !== AES_256_GCM) throw new Unopenable('a sealed value of an unknown version')
  return bytes.toString('latin1', HEAD_BYTES, HEAD_BYTES + (bytes[1] ?? 0))
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
