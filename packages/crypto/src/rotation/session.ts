import type { SealedConversations, SessionId } from '@chatbox/core'
import { createWrapping, nextKey } from '../conversations/key-set.ts'
import type { Keyring } from '../keyring.ts'
import { keyIdOf } from '../value.ts'
import { resealSession } from './reseal.ts'

export type RotationConversations = Pick<
  SealedConversations,
  'session' | 'turn' | 'turns' | 'keysInUse' | 'keyedBy' | 'changeKey' | 'resealNames' | 'resealTurn'
>

/** `gone`: there is no such session, or it was erased. */
export type Rewrapped = 'rewrapped' | 'current' | 'gone'

export type Renewed =
  | { readonly kind: 'gone' | 'done' | 'finished' }
  /** All its values are under the newest of its keys; those before have to stay until then. */
  | { readonly kind: 'waiting'; readonly until: number }
  /** A value does not open, so its key has to stay. */
  | { readonly kind: 'broken' }

export interface RotationOfSession {
  /** Wraps its keys by the current key of the ring. Its values stay as they are. Rejects with `Unopenable`. */
  rewrap(sid: SessionId): Promise<Rewrapped>
  /** Seals its values by a key that the current key of the ring alone has wrapped, and drops those before. Rejects with `Unopenable`. */
  renew(sid: SessionId, onResealed: (values: number) => void): Promise<Renewed>
}

interface RotationOfSessionOptions {
  readonly keyTtlMs: number
  readonly now: () => number
}

export function rotationOfSession(
  conversations: RotationConversations,
  keyring: Keyring,
  { keyTtlMs, now }: RotationOfSessionOptions,
): RotationOfSession {
  const { currentId } = keyring
  const wrapping = createWrapping(keyring)

  async function keyed(sid: SessionId) {
    const session = await conversations.session(sid)
    return session && session.key.length > 0 ? session : undefined
  }

  return {
    async rewrap(sid) {
      for (;;) {
        const session = await keyed(sid)
        if (!session) return 'gone'
        if (keyIdOf(session.key) === currentId && session.keyId === currentId) return 'current'
        const wrapped = wrapping.wrap(sid, wrapping.unwrap(session))
        if (await conversations.changeKey(sid, session.key, wrapped, currentId)) return 'rewrapped'
      }
    },

    async renew(sid, onResealed) {
      for (;;) {
        const session = await keyed(sid)
        if (!session) return { kind: 'gone' }
        const keys = wrapping.unwrap(session)
        const [newest, ...before] = keys
        if (newest.madeUnder !== currentId) {
          const superseded = { ...newest, supersededAt: now() }
          const wrapped = wrapping.wrap(sid, [nextKey(currentId, keys), superseded, ...before])
          await conversations.changeKey(sid, session.key, wrapped, currentId)
          continue
        }
        if (before.length === 0) return { kind: 'done' }
        // The first half is for keys that other processes hold, the second for clocks that differ and for what is on its way.
        const until = Math.max(...before.map(({ supersededAt = 0 }) => supersededAt)) + 2 * keyTtlMs
        // Asked before anything is read: only what is read after that time can't be followed by a value under an older key.
        const due = now() >= until
        const { values, whole } = await resealSession(conversations, sid, keys)
        onResealed(values)
        if (!whole) return { kind: 'broken' }
        if (!due) return { kind: 'waiting', until }
        // Looks once more, so that whoever has read a value just before can still open it.
        if (values > 0) continue
        if (await conversations.changeKey(sid, session.key, wrapping.wrap(sid, [newest]), currentId)) {
          return { kind: 'finished' }
        }
      }
    },
  }
}
