import { createSecretKey, randomBytes } from 'node:crypto'
import { type SealedConversations, type SealedSession, type SessionId, Unopenable } from '@chatbox/core'
import { LRUCache } from 'lru-cache'
import { sessionAad } from '../aad.ts'
import { type Box, RingBox } from '../box.ts'
import { KEY_BYTES } from '../derive.ts'
import type { Keyring } from '../keyring.ts'
import { keyIdOf } from '../value.ts'
import type { TryOpen } from '../watch.ts'

/** The id that values sealed with a session's own key carry: it has one. */
const FIRST = 'd1'

/** `missing`: there is no such session. `erased`: it has no key any more (R22). `unopenable`: its key does not open, so nothing of it does. */
export type DataKey = Box | 'missing' | 'erased' | 'unopenable'

/** `gone`: there is no such session, or it was erased. */
export type Rewrapped = 'rewrapped' | 'current' | 'gone'

export interface DataKeys {
  /** A new key, and the same key wrapped, for the session's row. Not kept before the row is. */
  create(sid: SessionId): { readonly box: Box; readonly wrapped: Uint8Array }
  keep(sid: SessionId, box: Box): void
  /** From the cache, or from the session's row. */
  of(sid: SessionId): Promise<DataKey>
  /** To be called before rows are read; gives the keys of those rows, and keeps them. */
  reading(): (session: SealedSession) => DataKey
  forget(sid: SessionId): void
  /** Wraps the session's key by the current key of the ring. */
  rewrap(sid: SessionId): Promise<Rewrapped>
}

interface DataKeysOptions {
  readonly maxKeys: number
  readonly keyTtlMs: number
}

export function createDataKeys(
  inner: Pick<SealedConversations, 'session' | 'changeKey'>,
  keyring: Keyring,
  tryOpen: TryOpen,
  { maxKeys, keyTtlMs }: DataKeysOptions,
): DataKeys {
  const wrapping = keyring.box('data-key')
  const cache = new LRUCache<SessionId, Box>({ max: maxKeys, ttl: keyTtlMs })
  let forgotten = 0

  function reading(): (session: SealedSession) => DataKey {
    const before = forgotten
    return (session) => {
      if (session.key.length === 0) {
        cache.delete(session.sid)
        return 'erased'
      }
      const kept = cache.get(session.sid)
      if (kept) return kept
      const bytes = unwrap(session)
      if (!bytes) return 'unopenable'
      const box = boxOf(bytes)
      // What was read before something was forgotten must not bring back the key of a session that was erased.
      if (before === forgotten) cache.set(session.sid, box)
      return box
    }
  }
  async function read(sid: SessionId): Promise<DataKey> {
    const keyOf = reading()
    const session = await inner.session(sid)
    return session ? keyOf(session) : 'missing'
  }
  const wrap = (sid: SessionId, bytes: Uint8Array) => wrapping.seal(bytes, sessionAad(sid, 'key'))
  const unwrap = ({ sid, key }: SealedSession) => tryOpen('data-key', wrapping, key, sessionAad(sid, 'key'))

  return {
    create(sid) {
      const bytes = randomBytes(KEY_BYTES)
      const wrapped = wrap(sid, bytes)
      return { box: boxOf(bytes), wrapped }
    },
    keep: (sid, box) => void cache.set(sid, box),
    of: async (sid) => cache.get(sid) ?? read(sid),
    reading,
    forget(sid) {
      forgotten++
      cache.delete(sid)
    },
    async rewrap(sid) {
      for (;;) {
        const session = await inner.session(sid)
        if (!session || session.key.length === 0) return 'gone'
        const bytes = unwrap(session)
        if (!bytes) throw new Unopenable('the key of a session does not open')
        const wrapped = keyIdOf(session.key) === keyring.currentId ? undefined : wrap(sid, bytes)
        bytes.fill(0)
        if (!wrapped) return 'current'
        if (await inner.changeKey(sid, session.key, wrapped)) return 'rewrapped'
      }
    },
  }
}

/** Takes the bytes over, and wipes them. */
function boxOf(bytes: Uint8Array): Box {
  const secret = createSecretKey(bytes)
  bytes.fill(0)
  return new RingBox(FIRST, (id) => (id === FIRST ? secret : undefined))
}
