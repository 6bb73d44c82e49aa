import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { type SealedSession, type SessionId, Unopenable } from '@chatbox/core'
import { sessionAad } from '../aad.ts'
import { RingBox } from '../box.ts'
import { KEY_BYTES } from '../derive.ts'
import type { Keyring } from '../keyring.ts'

/** One of a session's data keys (decision 11). */
export interface SessionKey {
  /** From 1, and never given twice in a session: `d1` stands in the values that the first one seals. */
  readonly number: number
  readonly secret: KeyObject
  /** The key of the ring that was current when it was made; empty where that is not known. */
  readonly madeUnder: string
  /** When the next one took its place, by the clock of whoever did it. */
  readonly supersededAt?: number
}

/** The newest, which seals, comes first; all of them open. */
export type KeySet = readonly [SessionKey, ...SessionKey[]]

/** Sets as they stand in the rows of sessions. */
export interface Wrapping {
  wrap(sid: SessionId, keys: KeySet): Uint8Array
  /** Rejects with `Unopenable`. */
  unwrap(session: Pick<SealedSession, 'sid' | 'key'>): KeySet
}

export function createWrapping(keyring: Keyring): Wrapping {
  const box = keyring.box('data-key')
  return {
    wrap(sid, keys) {
      const bytes = encodeKeys(keys)
      const wrapped = box.seal(bytes, sessionAad(sid, 'key'))
      bytes.fill(0)
      return wrapped
    },
    unwrap({ sid, key }) {
      const bytes = box.open(key, sessionAad(sid, 'key'))
      const keys = decodeKeys(bytes)
      bytes.fill(0)
      return keys
    },
  }
}

/** The key that comes after those, or the first. */
export function nextKey(madeUnder: string, before?: KeySet): SessionKey {
  const bytes = randomBytes(KEY_BYTES)
  const secret = createSecretKey(bytes)
  bytes.fill(0)
  return { number: (before?.[0].number ?? 0) + 1, secret, madeUnder }
}

/** What the values carry that it seals. */
export const nameOf = ({ number }: SessionKey): string => `d${number}`

export function boxOf(keys: KeySet): RingBox {
  return new RingBox(nameOf(keys[0]), (id) => keys.find((key) => nameOf(key) === id)?.secret)
}

/*
 * A version (1 byte), and for each key: its number (4 bytes), when it was superseded (6 bytes, in ms; 0 for the newest), the length of
 * the ring key's id (1 byte), the id, the key. In rows from before there were several, the key alone, which is shorter than any set.
 */
const VERSION = 1
const HEAD_BYTES = 4 + 6 + 1

export function encodeKeys(keys: KeySet): Buffer {
  const all = Buffer.alloc(1 + keys.reduce((sum, { madeUnder }) => sum + HEAD_BYTES + madeUnder.length + KEY_BYTES, 0))
  let at = all.writeUInt8(VERSION)
  for (const { number, secret, madeUnder, supersededAt = 0 } of keys) {
    at = all.writeUInt32BE(number, at)
    at = all.writeUIntBE(supersededAt, at, 6)
    at = all.writeUInt8(madeUnder.length, at)
    at += all.write(madeUnder, at, 'latin1')
    const bytes = secret.export()
    at += bytes.copy(all, at)
    bytes.fill(0)
  }
  return all
}

export function decodeKeys(bytes: Uint8Array): KeySet {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (all.length === KEY_BYTES) return [{ number: 1, secret: createSecretKey(all), madeUnder: '' }]
  const keys: SessionKey[] = []
  let at = 1
  while (all[0] === VERSION && at + HEAD_BYTES <= all.length) {
    const idAt = at + HEAD_BYTES
    const keyAt = idAt + all.readUInt8(at + 10)
    const end = keyAt + KEY_BYTES
    if (end > all.length) break
    const supersededAt = all.readUIntBE(at + 4, 6)
    keys.push({
      number: all.readUInt32BE(at),
      secret: createSecretKey(all.subarray(keyAt, end)),
      madeUnder: all.toString('latin1', idAt, keyAt),
      ...(supersededAt > 0 && { supersededAt }),
    })
    at = end
  }
  const [newest, ...others] = keys
  if (!newest || at !== all.length) throw new Unopenable('the keys of a session are of an unknown version')
  return [newest, ...others]
}
