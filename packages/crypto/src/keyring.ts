import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { type Box, RingBox } from './box.ts'
import { derive, KEY_BYTES } from './derive.ts'

export interface RingKey {
  /** 1–64 letters, digits, `_` and `-`; stands in every value that is sealed with the key. */
  readonly id: string
  /** Exactly 32 random bytes. */
  readonly key: Uint8Array
}

export interface KeyringOptions {
  /** All of them open, the first one seals; the last is the oldest. */
  readonly keys: readonly RingKey[]
  /**
   * The key that seals, where that is not the first. A new key is made known to every process before any of them uses it (R28):
   * it is put in front of the ring while this still names the one before, and then this is taken away.
   */
  readonly currentId?: string
  /**
   * What tags are made with: 32 bytes. By default it is derived from the oldest key, so that a new key in front changes no tag.
   * Whoever drops the oldest key sets it to `defaultHashKey(oldest)` before; otherwise all tags change, and what is kept under
   * the old ones (logs of users, open answers, connections, limits) is lost as in a store that came back empty.
   */
  readonly hashKey?: Uint8Array
  /** The name of the setting that the keys come from, for sentences about them. Default `ENCRYPTION_KEYS`. */
  readonly setting?: string
}

/** Everything sealed under one of these opens under no other. */
export type Purpose = 'data-key' | 'user' | 'reply' | 'entry' | 'outcome'

export interface Keyring {
  /** Of all the keys it has. */
  readonly ids: readonly string[]
  /** The id of the key that seals. */
  readonly currentId: string
  readonly setting: string
  /** A keyed hash of 22 characters (R27); the same value in another domain has another tag. */
  tag(value: string, domain: string): string
  /** Keys of its own for each purpose and name. Making them takes longer than using them: keep the box. */
  box(purpose: Purpose, name?: string): Box
  /** For others to compare theirs with. They say nothing of the keys. */
  readonly fingerprints: Fingerprints
}

export interface Fingerprints {
  /** Of what tags are made with. */
  readonly hashKey: string
  /** Of the keys of the ring, by their ids. */
  readonly keys: ReadonlyMap<string, string>
}

const TAG_LENGTH = 22
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/

export function createKeyring({ keys, currentId, hashKey, setting = 'ENCRYPTION_KEYS' }: KeyringOptions): Keyring {
  const secrets = new Map<string, KeyObject>()
  for (const { id, key } of keys) {
    if (!KEY_ID.test(id)) throw new TypeError('a key id is 1 to 64 letters, digits, _ or -')
    if (secrets.has(id)) throw new TypeError(`two keys of the ring have the id ${id}`)
    const secret = secretOf(key, `the key ${id}`)
    for (const [other, held] of secrets) {
      if (held.equals(secret)) throw new TypeError(`the keys ${other} and ${id} of the ring are the same`)
    }
    secrets.set(id, secret)
  }
  const sealing = currentId ?? keys[0]?.id
  const oldest = keys.at(-1)
  if (sealing === undefined || !oldest) throw new TypeError('a key ring needs at least one key')
  if (!secrets.has(sealing)) throw new TypeError('the current key is not in the ring')
  const hashing = secretOf(hashKey ?? defaultHashKey(oldest.key), 'the hash key')

  const tag = (value: string, domain: string) =>
    createHmac('sha256', hashing)
      // UTF-16, because UTF-8 makes all lone surrogates the same character, and so two users one.
      .update(`${domain.length}:${domain}${value}`, 'utf16le')
      .digest('base64url')
      .slice(0, TAG_LENGTH)

  return {
    ids: [...secrets.keys()],
    currentId: sealing,
    setting,
    tag,
    fingerprints: {
      hashKey: tag('', 'fingerprint'),
      keys: new Map([...secrets].map(([id, secret]) => [id, fingerprintOf(secret)])),
    },
    box: (purpose, name = '') =>
      new RingBox(sealing, (id) => {
        const secret = secrets.get(id)
        return secret && derive(secret, `${purpose}/${name}`)
      }),
  }
}

/** What tags are made with when no hash key is set and this key is the oldest. */
export const defaultHashKey = (oldest: Uint8Array): Uint8Array =>
  new Uint8Array(derive(secretOf(oldest, 'the key'), 'hash-key').export())

/** Under a key of its own, which seals nothing. */
const fingerprintOf = (secret: KeyObject): string =>
  createHmac('sha256', derive(secret, 'fingerprint')).update('chatbox').digest('base64url').slice(0, TAG_LENGTH)

function secretOf(key: Uint8Array, what: string): KeyObject {
  if (key.length !== KEY_BYTES) throw new TypeError(`${what} has ${key.length} bytes; it must have ${KEY_BYTES}`)
  return createSecretKey(key)
}
