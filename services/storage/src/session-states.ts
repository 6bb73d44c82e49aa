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
  /** The partition is no longer ours, and its sessions are somebody else's to change. */
  leave(partition: number): void
  readonly size: number
}

export type OwnedStates = Pick<SessionStates, 'get' | 'keep' | 'forget'>

/**
 * What the owner of a partition may remember between entries. It is never trusted over the database: inserts and changes are
 * compare-and-set, and a lost race forgets it. Sessions without activity are released after a grace period (S5).
 */
export function sessionStates(
  conversations: Pick<Conversations, 'session' | 'totals'>,
  options: { max: number; graceMs: number },
): SessionStates {
  const states = new LRUCache<SessionId, SessionState>({
    max: options.max,
    ttl: options.graceMs,
    updateAgeOnGet: true,
  })
  /** Raised by every word on a session, so that a slow read knows that it has been overtaken. Bounded by the reads under way. */
  const reading = new Map<SessionId, { overtaken: boolean }>()
  const overtake = (sid: SessionId) => {
    const read = reading.get(sid)
    if (read) read.overtaken = true
    reading.delete(sid)
  }

  return {
    async get(sid) {
      const known = states.get(sid)
      if (known) return known
      const read = reading.get(sid) ?? { overtaken: false }
      reading.set(sid, read)
      try {
        const session = await conversations.session(sid)
        if (!session) return undefined
        const state = { session, totals: await conversations.totals(sid) }
        // Somebody else may ask about the session, out of turn: what they read must not replace what its owner knows by now.
        if (!read.overtaken) states.set(sid, state)
        return state
      } finally {
        if (reading.get(sid) === read) reading.delete(sid)
      }
    },
    keep(sid, state) {
      overtake(sid)
      states.set(sid, state)
    },
    forget(sid) {
      overtake(sid)
      states.delete(sid)
    },
    leave(partition) {
      // Of what is being read it is not known yet whose it is.
      for (const sid of [...reading.keys()]) overtake(sid)
      for (const [sid, { session }] of [...states.entries()]) if (session.partition === partition) states.delete(sid)
    },
    get size() {
      states.purgeStale()
      return states.size
    },
  }
}

/**
 * For one time of owning a partition. What somebody still had under way when it was lost is not kept: the session may be another
 * owner's since, and this replica may own it again before long.
 */
export const whileOwned = ({ get, keep, forget }: SessionStates, lost: AbortSignal): OwnedStates => ({
  get,
  keep(sid, state) {
    if (lost.aborted) forget(sid)
    else keep(sid, state)
  },
  forget,
})
