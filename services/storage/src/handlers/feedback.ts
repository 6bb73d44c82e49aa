import { answerFeedbackEvent, type FeedbackEntry, Refusal } from '@chatbox/core'
import { announce, type Work } from '../work.ts'
import { ownSession } from './own.ts'

/** What the user thinks of an answer; the last word counts. */
export async function feedback(work: Work, { uid, sid, answerId, feedback: given }: FeedbackEntry): Promise<void> {
  await ownSession(work, sid, uid)
  const stored = given ? { ...given, ts: work.now() } : undefined
  const rated = await work.insist('rate answer', () => work.conversations.rateAnswer(sid, answerId, stored))
  const turn = await work.insist('read turn', () => work.conversations.turnByAnswerId(sid, answerId))
  const answer = turn?.answer
  if (!turn || answer?.answerId !== answerId) throw new Refusal('not_found')
  if (!rated) throw new Refusal('conflict')
  await announce(work, uid, answerFeedbackEvent(turn, answer))
}
