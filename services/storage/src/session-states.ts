import type { Conversations, Session, SessionId, Totals } from '@chatbox/core'
import { LRUCache } from 'lru-cache'

/** A session's row and what its rows add up to, as this owner last knew them. */
export interface SessionState {
  readonly session: Session
  readonly totals: Totals
}

export interface SessionStates {
  get(sid: SessionId): Promise<SessionState | undefined>
  /** Only what was just written or read may be kept. */
  keep(sid: SessionId, state: SessionState): void
  /** Any doubt: the next one reads again (R1). */
  forget(sid: SessionId): void
  clear(): void
  readonly size: number
}

/**
 * What the owner of a partition may remember between entries. It is never trusted over the database: inserts and changes are
 * compare-and-set, and a lost race forgets it. Sessions without activity are released after a grace period (S5).
 */
export function sessionStates(conversations: Conversations, options: { max: number; graceMs: number }): SessionStates {
  const states = new LRUCache<SessionId, SessionState>({
    max: options.max,
    ttl: options.graceMs,
    updateAgeOnGet: true,
  })
  return {
    async get(sid) {
      const known = states.get(sid)
      if (known) return known
      const session = await conversations.session(sid)
      if (!session) return undefined
      const state = { session, totals: await conversations.totals(sid) }
      states.set(sid, state)
      return state
    },
    keep: (sid, state) => void states.set(sid, state),
    forget: (sid) => void states.delete(sid),
    clear: () => states.clear(),
    get size() {
      states.purgeStale()
      return states.size
    },
  }
}
