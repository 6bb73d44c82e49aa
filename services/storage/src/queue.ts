import { type AnswerId, dueFrom, type Job, type SessionId, type Turn } from '@chatbox/core'
import type { Work } from './work.ts'

const enqueue = (work: Work, job: Job) => work.insist('enqueue', () => work.fabric.jobs.enqueue(job))

/** Starts the clock of an answer whose turn has come, and queues it (R16, R17). Harmless when it was done before. */
export async function startAnswer(work: Work, turn: Turn): Promise<void> {
  const { answer, sid } = turn
  if (answer?.status !== 'pending') return
  const { answerId, n } = answer
  if (answer.due === undefined) {
    await work.insist('start answer', () =>
      work.conversations.changePending(sid, answerId, { n }, { due: dueFrom(work.now(), work.answerLimits) }),
    )
  }
  await enqueue(work, { sid, answerId, n })
}

/** Queues an answer again under a new job name: a name that is still known to the job store would do nothing (R17). */
export async function queueAgain(work: Work, turn: Turn, change: { handbacks?: number } = {}): Promise<void> {
  const { answer, sid } = turn
  if (answer?.status !== 'pending') return
  const { answerId } = answer
  const n = answer.n + 1
  const due = answer.due ?? dueFrom(work.now(), work.answerLimits)
  const changed = await work.insist('queue again', () =>
    work.conversations.changePending(sid, answerId, { n: answer.n }, { n, due, ...change }),
  )
  if (changed) await enqueue(work, { sid, answerId, n })
}

/** After an answer ended, the oldest that waits in its session has its turn (R16). */
export async function startNext(work: Work, sid: SessionId): Promise<void> {
  const state = await work.insist('read session', () => work.states.get(sid))
  const next = state?.totals.pending[0]
  if (!next || state.session.endTs !== undefined || state.session.adminAssisted) return
  const turn = await work.insist('read turn', () => work.conversations.turn(sid, next.seq))
  if (turn) await startAnswer(work, turn)
}

export const jobOf = (turn: Turn & { answer: { answerId: AnswerId; n: number } }): Job => ({
  sid: turn.sid,
  answerId: turn.answer.answerId,
  n: turn.answer.n,
})
