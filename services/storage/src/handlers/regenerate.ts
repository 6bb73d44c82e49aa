import { messageEvent, planRegenerate, Refusal, type RegenerateEntry, type Turn } from '@chatbox/core'
import { overBudget } from '../budget.ts'
import { projectTurn } from '../project.ts'
import { startAnswer } from '../queue.ts'
import { announce, type Circumstances, settle, type Work } from '../work.ts'
import { ownSession } from './own.ts'

/** Another answer to a question, in the place of the one it has, which is kept (R19). One path for the first time and repetitions (R8). */
export async function regenerate(
  work: Work,
  entry: RegenerateEntry,
  { until, triedBefore }: Circumstances,
): Promise<void> {
  const { uid, replyTo } = entry
  const turn = await write(work, entry, until, triedBefore ? 'unavailable' : 'expired')
  const origin = replyTo && { connectionId: replyTo.connectionId, requestId: replyTo.requestId }
  await announce(work, uid, messageEvent(turn, origin))
  await startAnswer(work, turn)
  await projectTurn(work, turn)
  await settle(work, turn)
}

/** Ends with the row as it is stored, or refuses. A lost race looks again. */
async function write(
  work: Work,
  entry: RegenerateEntry,
  until: number | undefined,
  tooLate: 'unavailable' | 'expired',
): Promise<Turn> {
  const { uid, sid, seq, modelId } = entry
  for (;;) {
    const { session, totals } = await ownSession(work, sid, uid, until)
    const turn = await work.insist('read turn', () => work.conversations.turn(sid, seq), until)
    if (!turn) throw new Refusal('not_found', { field: 'seq' })
    const plan = planRegenerate(session, totals, turn, entry, work.now(), work.answerLimits)
    if (plan.kind === 'repetition') return turn
    if (plan.kind === 'refuse') throw new Refusal(plan.code)
    if (modelId !== undefined && !work.models.has(modelId)) throw new Refusal('not_found', { field: 'modelId' })
    // Past its time it would surprise whoever was told that it failed (R9).
    if (until !== undefined && work.now() > until) throw new Refusal(tooLate)
    if (await overBudget(work, uid, until)) throw new Refusal('budget_exceeded')

    const { old, answer } = plan
    // Not given up half way: whether it was written is found out by repeating it, which the wish's id makes safe.
    await work.insist('supersede', () => work.conversations.supersede(sid, seq, old.answerId, answer))
    work.states.forget(sid)
  }
}
