import { type CancelEntry, Refusal } from '@chatbox/core'
import { endAnswer } from '../end-answer.ts'
import { jobOf } from '../queue.ts'
import type { Work } from '../work.ts'
import { ownSession } from './own.ts'

/** Marks the turn first, then signals: a signal that is lost is made up for by the mark (R18). */
export async function cancel(work: Work, entry: CancelEntry): Promise<void> {
  const { uid, sid, answerId } = entry
  await ownSession(work, sid, uid)
  const turn = await work.insist('read turn', () => work.conversations.turnByAnswerId(sid, answerId))
  const answer = turn?.answer
  if (!turn || answer?.answerId !== answerId) throw new Refusal('not_found')
  if (answer.status !== 'pending') return

  const ref = { uid, sid, answerId, seq: turn.seq + 1 }
  if (answer.cancelAt === undefined) {
    await work.insist('mark cancelled', () =>
      work.conversations.changePending(sid, answerId, { n: answer.n }, { cancelAt: work.now() }),
    )
  }
  if (answer.attempt > 0) {
    await work.insist('signal cancel', () => work.fabric.answers.cancel(ref))
    return
  }
  // Nobody has begun, so nobody else would end it. A worker that begins at this moment makes the attempt 1, and reads the mark.
  await endAnswer(work, { uid, sid, answerId, attempt: 0, end: { status: 'cancelled', text: '', endedAt: work.now() } })
  await work.insist('drop job', () => work.fabric.jobs.drop(jobOf({ ...turn, answer })))
  await work.insist('signal cancel', () => work.fabric.answers.cancel(ref))
}
