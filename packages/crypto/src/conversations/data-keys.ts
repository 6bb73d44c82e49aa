import { type SealedConversations, type SealedSession, type SessionId, Unopenable } from '@chatbox/core'
import { LRUCache } from 'lru-cache'
import type { RingBox } from '../box.ts'
import type { Keyring } from '../keyring.ts'
import type { OnUnopenable } from '../watch.ts'
import { boxOf, createWrapping, type KeySet, nextKey } from './key-set.ts'

/** `missing`: there is no such session. `erased`: it has no key any more (R22). `unopenable`: its key does not open, so nothing of it does. */
export type DataKey = RingBox | 'missing' | 'erased' | 'unopenable'

export interface DataKeys {
  /** A new key, and the same key wrapped, for the session's row. */
  create(sid: SessionId): NewKey
  /** From the cache, or from the session's row. */
  of(sid: SessionId): Promise<DataKey>
  /** From the session's row: a value was met whose key is not among those at hand. */
  again(sid: SessionId): Promise<DataKey>
  /** To be called before rows are read; gives the keys of those rows, and keeps them. */
  reading(): (session: SealedSession) => DataKey
  forget(sid: SessionId): void
  readonly size: number
}

export interface NewKey {
  readonly box: RingBox
  readonly key: Uint8Array
  readonly keyId: string
  /** To be called when the row is there. */
  keep(): void
}

interface DataKeysOptions {
  readonly maxKeys: number
  readonly keyTtlMs: number
}

interface Kept {
  readonly box: RingBox
  readonly wrapped: Uint8Array
  readonly readAt: number
}

export function createDataKeys(
  inner: Pick<SealedConversations, 'session'>,
  keyring: Keyring,
  onUnopenable: OnUnopenable,
  { maxKeys, keyTtlMs }: DataKeysOptions,
): DataKeys {
  const wrapping = createWrapping(keyring)
  const cache = new LRUCache<SessionId, Kept>({ max: maxKeys, ttl: keyTtlMs })
  let forgotten = 0

  function reading(): (session: SealedSession) => DataKey {
    const before = forgotten
    const readAt = performance.now()
    return (session) => {
      const { sid, key } = session
      if (key.length === 0) {
        cache.delete(sid)
        return 'erased'
      }
      const kept = cache.get(sid)
      // A rotation may have changed it since.
      if (kept && Buffer.compare(kept.wrapped, key) === 0) return kept.box
      const keys = unwrap(session)
      if (!keys) return 'unopenable'
      const box = boxOf(keys)
      // What was read before something was forgotten must not bring back the key of a session that was erased.
      if (before === forgotten && (kept?.readAt ?? 0) <= readAt) keep(sid, box, key, readAt)
      return box
    }
  }
  /** Its age counts from when its row was asked for: a process that stood still meanwhile holds an old key (decision 11). */
  function keep(sid: SessionId, box: RingBox, key: Uint8Array, readAt: number): void {
    // A copy, because a driver may have given a piece of much more.
    cache.set(sid, { box, wrapped: new Uint8Array(key), readAt }, { start: readAt })
  }
  async function again(sid: SessionId): Promise<DataKey> {
    const keyOf = reading()
    const session = await inner.session(sid)
    return session ? keyOf(session) : 'missing'
  }
  function unwrap(session: SealedSession): KeySet | undefined {
    try {
      return wrapping.unwrap(session)
    } catch (error) {
      if (!(error instanceof Unopenable)) throw error
      onUnopenable('data-key')
      return undefined
    }
  }

  return {
    create(sid) {
      const keys: KeySet = [nextKey(keyring.currentId)]
      const box = boxOf(keys)
      const key = wrapping.wrap(sid, keys)
      const readAt = performance.now()
      return { box, key, keyId: keyring.currentId, keep: () => keep(sid, box, key, readAt) }
    },
    of: async (sid) => cache.get(sid)?.box ?? again(sid),
    again,
    get size() {
      return cache.size
    },
    reading,
    forget(sid) {
      forgotten++
      cache.delete(sid)
    },
  }
}
