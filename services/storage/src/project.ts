import { isDeepStrictEqual } from 'node:util'
import {
  changed,
  type Origin,
  projection,
  type Session,
  type SessionChange,
  type SessionId,
  sessionUpdatedEvent,
  type Turn,
} from '@chatbox/core'
import { announce, type Work } from './work.ts'

/** A change of the session's own attributes; it is computed again whenever somebody else was faster (R3). */
export type Recompute = (session: Session) => SessionChange

/** Changes the session's row and tells the user's devices. Gives the row as it is then. */
export async function changeSession(
  work: Work,
  sid: SessionId,
  recompute: Recompute,
  origin?: Origin,
): Promise<Session | undefined> {
  const next = await changeRow(work, sid, recompute)
  // Also for a repetition that changes nothing: the first time may have ended before this was told (R8).
  if (next) await announce(work, next.uid, sessionUpdatedEvent(next, origin))
  return next
}

/** By compare-and-set, and tells nobody. */
export async function changeRow(work: Work, sid: SessionId, recompute: Recompute): Promise<Session | undefined> {
  for (;;) {
    const state = await work.insist('read session', () => work.states.get(sid))
    if (!state) return undefined
    const { session, totals } = state
    const change = recompute(session)
    if (changesNothing(session, change)) return session
    // Somebody may have begun before the erasure, and lost the race to it (R22).
    if (session.erased) return undefined
    const won = await work.insist('change session', () => work.conversations.changeSession(sid, session.rev, change))
    if (won) {
      const next = { ...changed(session, change), rev: session.rev + 1 }
      work.states.keep(sid, { session: next, totals })
      return next
    }
    work.states.forget(sid)
  }
}

/** Brings the row in line with the session's turns, after one of them changed (R3). */
export async function projectTurn(work: Work, turn: Turn, responseTimes?: Recompute): Promise<void> {
  const state = await work.insist('read session', () => work.states.get(turn.sid))
  if (!state) return
  const { totals } = state
  await changeSession(work, turn.sid, (session) => ({
    ...projection(session, totals, { turn }),
    ...responseTimes?.(session),
  }))
}

const changesNothing = (session: Session, change: SessionChange): boolean =>
  (Object.keys(change) as (keyof SessionChange)[]).every((key) =>
    isDeepStrictEqual(session[key] ?? null, change[key] ?? null),
  )
