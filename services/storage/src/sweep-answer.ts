import {
  type AnswerRecord,
  type AnswerRef,
  endIn,
  messageEvent,
  sweep,
  type Turn,
  textOfClosed,
  Unavailable,
  Unopenable,
  usageOfClosed,
} from '@chatbox/core'
import type { ErrorCode } from '@chatbox/protocol'
import { endAnswer } from './end-answer.ts'
import { projectTurn } from './project.ts'
import { jobOf, queueAgain, startAnswer } from './queue.ts'
import { announce, type Work } from './work.ts'

export type PendingTurn = Turn & { readonly answer: NonNullable<Turn['answer']> }

export const isPending = (turn: Turn): turn is PendingTurn => turn.answer?.status === 'pending'

/** A turn that has an answer was written by the session's user. */
export const ownerOf = (turn: Turn) => turn.authorId

const refOf = (turn: PendingTurn): AnswerRef => ({
  uid: ownerOf(turn),
  sid: turn.sid,
  answerId: turn.answer.answerId,
  seq: turn.seq + 1,
})

interface Seen {
  readonly record: AnswerRecord | undefined
  readonly jobExists: boolean
}

interface Sight extends Seen {
  readonly turn: PendingTurn
}

export async function seen(work: Work, turns: readonly PendingTurn[]): Promise<Sight[]> {
  if (turns.length === 0) return []
  // The jobs first: one that is gone by then was worked on, and has left a record.
  const jobs = await work.fabric.jobs.exists(turns.map(jobOf))
  // One by one: their records may be on several servers, of which one may be away.
  const records = await Promise.all(turns.map((turn) => recordOf(work, turn)))
  return turns.flatMap((turn, i) => {
    const found = records[i]
    return found ? [{ turn, record: found.record, jobExists: jobs[i] ?? false }] : []
  })
}

async function recordOf(work: Work, turn: PendingTurn): Promise<Pick<Seen, 'record'> | undefined> {
  try {
    const [record] = await work.fabric.answers.inspect([refOf(turn)])
    return { record }
  } catch (error) {
    leaveFor(work, turn, error)
    return undefined
  }
}

/** The part of a store that has this user's answers is away: the next sweep looks again, and this one goes on with the others. */
export function leaveFor({ log }: Work, { sid, seq }: Turn, err: unknown): void {
  if (!(err instanceof Unavailable)) throw err
  log.warn({ err, sid, seq }, 'a turn could not be looked at by the sweeper')
}

/** From what was seen, which may be old by the time that anything is done about it. */
export const wantsAction = (work: Work, { turn, ...state }: Sight): boolean => verdictOf(work, turn, state) !== 'leave'

const verdictOf = (work: Work, { answer }: PendingTurn, state: Seen) =>
  sweep(answer, state, work.now(), work.answerLimits)

/**
 * What the sweeper does about one answer whose turn it is (R17). It is looked at once more: entries of its user may have come first, and
 * an answer that one of them has only just queued must not be queued a second time, where it would be begun over the head of its worker.
 */
export async function act(work: Work, { ts, sid, seq }: PendingTurn): Promise<void> {
  const before = { ts, sid, seq: seq - 1 }
  const [unsettled] = await work.insist('read turn', () => work.conversations.unsettledOf(work.partition, 1, before))
  if (unsettled?.sid !== sid || unsettled.seq !== seq || !isPending(unsettled)) return
  // The page may have been read in another order than the session's; or what is remembered is too old.
  const known = await work.insist('read session', () => work.states.get(sid))
  if (known?.totals.pending[0]?.answerId !== unsettled.answer.answerId) return work.states.forget(sid)
  const [sight] = await seen(work, [unsettled])
  if (sight) await carryOut(work, sight)
}

async function carryOut(work: Work, { turn, ...state }: Sight): Promise<void> {
  const verdict = verdictOf(work, turn, state)
  const { sid, answer } = turn
  if (verdict !== 'leave') work.metrics.swept.inc({ verdict })
  switch (verdict) {
    case 'leave':
      return
    case 'apply-end': {
      const recorded = state.record?.end
      if (!recorded) return
      const { answerId, attempt } = recorded.header
      await endAnswer(work, { uid: ownerOf(turn), sid, answerId, attempt, end: endIn(recorded) })
      return
    }
    case 'cancel':
      return closeAnswer(work, turn, 'cancelled')
    case 'overdue':
      return closeAnswer(work, turn, 'failed', answer.attempt === 0 ? 'queue_timeout' : 'provider_timeout')
    case 'crashed-too-often':
      return closeAnswer(work, turn, 'failed', 'answer_lost')
    case 'queue':
      work.log.info(
        { sid, answerId: answer.answerId, attempt: answer.attempt, n: answer.n },
        'queueing an answer again',
      )
      // Its message was stored, and perhaps nobody was told.
      if (answer.attempt === 0 && answer.n === 0) await tellAgain(work, turn)
      return answer.due === undefined ? startAnswer(work, turn) : queueAgain(work, turn)
  }
}

/**
 * What a sweep is given has no content where that does not open; nobody must be told that it was empty. Its answer is not queued here:
 * under two names it would be begun twice.
 */
async function tellAgain(work: Work, { sid, seq, authorId }: PendingTurn): Promise<void> {
  try {
    const turn = await work.insist('read turn', () => work.conversations.turn(sid, seq))
    if (!turn) return
    await announce(work, authorId, messageEvent(turn))
    await projectTurn(work, turn)
  } catch (error) {
    if (!(error instanceof Unopenable)) throw error
    work.log.error({ err: error, sid, seq }, 'a message that does not open can not be told again')
  }
}

/** Ended in the fabric first, so that the stored text is exactly what devices were shown; then in the database; then announced. */
async function closeAnswer(work: Work, turn: PendingTurn, status: 'failed' | 'cancelled', error?: ErrorCode) {
  const ref = refOf(turn)
  const closed = await work.fabric.answers.close(ref)
  const usage = usageOfClosed(closed)
  const end = {
    ...{ status, text: textOfClosed(closed), endedAt: work.now() },
    ...(usage && { usage }),
    ...(error && { error }),
  }
  work.log.warn(
    { sid: turn.sid, answerId: ref.answerId, status, error },
    'ending an answer that nobody would have ended',
  )
  await endAnswer(work, { uid: ref.uid, sid: ref.sid, answerId: ref.answerId, end })
}
