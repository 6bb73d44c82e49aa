import {
  type AnswerEnd,
  type AnswerId,
  answerId,
  randomId,
  requestId,
  type SessionId,
  type UserId,
} from '@chatbox/core'
import type { Bench } from './fixture.ts'

export const someEnd = (more: Partial<AnswerEnd> = {}): AnswerEnd => ({
  status: 'done',
  text: 'an answer',
  endedAt: Date.now(),
  usage: { inputTokens: 3, outputTokens: 4, estimated: false },
  ...more,
})

/** A question that is accepted; gives the answer that it will have. */
export async function question(b: Bench, uid: UserId, sid: SessionId, text = 'hello'): Promise<AnswerId> {
  const outcome = await b.say(uid, sid, text)
  if (!outcome.ok) throw new Error(`a question was refused: ${outcome.code}`)
  const [turn] = await b.conversations.turns(sid, { limit: 1 })
  return answerId(turn?.answer?.answerId ?? '')
}

/** A worker's end, through the log. */
export const finish = (b: Bench, uid: UserId, sid: SessionId, id: AnswerId, attempt: number, end = someEnd()) =>
  b.ask({ kind: 'answer.end', uid, sid, requestId: requestId(randomId()), answerId: id, attempt, end })

/** A question with its answer. */
export async function exchange(
  b: Bench,
  uid: UserId,
  sid: SessionId,
  more: Partial<AnswerEnd> = {},
): Promise<AnswerId> {
  const id = await question(b, uid, sid)
  await b.conversations.beginAttempt(sid, id, 0, 'fresh')
  await finish(b, uid, sid, id, 1, someEnd(more))
  return id
}

/** Waits for what comes about by itself, such as the work of a sweeper. */
export async function until(holds: () => Promise<boolean> | boolean, what: string, ms = 10_000): Promise<void> {
  const end = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
