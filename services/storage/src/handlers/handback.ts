import type { HandbackEntry } from '@chatbox/core'
import { queueAgain } from '../queue.ts'
import type { Work } from '../work.ts'

/** The attempt is given up in good order: it does not count as a crash, and the answer is queued again at once (R13). */
export async function handback(work: Work, { sid, answerId, attempt }: HandbackEntry): Promise<void> {
  const turn = await work.insist('read turn', () => work.conversations.turnByAnswerId(sid, answerId))
  const answer = turn?.answer
  if (!turn || answer?.answerId !== answerId || answer.status !== 'pending' || answer.attempt !== attempt) return
  await queueAgain(work, turn, { handbacks: answer.handbacks + 1 })
}
