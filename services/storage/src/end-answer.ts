import {
  type AnswerEnd,
  type AnswerId,
  answerDoneEvent,
  type SessionId,
  type Turn,
  type UserId,
  withResponseTime,
} from '@chatbox/core'
import { projectTurn } from './project.ts'
import { startNext } from './queue.ts'
import { announce, settle, type Work } from './work.ts'

export interface Ending {
  readonly uid: UserId
  readonly sid: SessionId
  readonly answerId: AnswerId
  readonly end: AnswerEnd
  /** The attempt whose end this is. Takeover, cancel, sweeper and erasure end a pending answer whatever its attempt (R12). */
  readonly attempt?: number
}

/**
 * Ends an answer once, and takes the same path for a repetition (R8): read what is stored, announce it, start what waits.
 * Gives the turn if the answer has ended, by this or by somebody else.
 */
export async function endAnswer(work: Work, ending: Ending): Promise<Turn | undefined> {
  const { uid, sid, answerId, end, attempt } = ending
  const won = await work.insist('end answer', () => work.conversations.endAnswer(sid, answerId, end, attempt))
  // Totals are derived again from the rows: an end that came twice, or from a second owner, must not count twice (R3).
  work.states.forget(sid)

  const turn = await work.insist('read turn', () => work.conversations.turnByAnswerId(sid, answerId))
  if (!turn || turn.answer?.answerId !== answerId || turn.answer.status === 'pending') return undefined
  await afterEnd(work, uid, turn, won)
  return turn
}

/** What follows from an answer that has ended, for the first time or again. */
export async function afterEnd(work: Work, uid: UserId, turn: Turn, won: boolean): Promise<void> {
  const { sid, answer } = turn
  if (!answer) return
  const state = await work.insist('read session', () => work.states.get(sid))
  // A worker may still have been at it; nobody is told anything about it any more.
  if (state?.session.erased) return
  await announce(work, uid, answerDoneEvent(turn, answer, state?.session.ownerEpoch ?? 0))
  await startNext(work, sid)
  // The end is told in the worker's time, which may be behind.
  const took = Math.max(0, (answer.endedAt ?? answer.askedAt) - answer.askedAt)
  await projectTurn(work, turn, ({ rts }) => {
    // Whoever ended it may have died before this was kept, or just after it: then the turn is unsettled, and the time perhaps there (S6).
    const kept = !won && (!turn.unsettled || rts.includes(took))
    return answer.status === 'done' && !kept ? { rts: withResponseTime(rts, took) } : {}
  })
  await settle(work, turn)
}
