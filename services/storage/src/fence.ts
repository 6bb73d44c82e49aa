import type { ClosedAnswer, SessionId, UserId } from '@chatbox/core'
import type { Work } from './work.ts'

/**
 * Closes what is being written in a session (R20). A worker learns of it by the next thing that it wants to say, which may be minutes
 * away where a model thinks; so it is told to stop as by a cancel (R18).
 */
export async function fence(work: Work, uid: UserId, sid: SessionId, epoch: number): Promise<readonly ClosedAnswer[]> {
  const closed = await work.insist('fence', () => work.fabric.answers.fence(uid, sid, epoch))
  await Promise.all(closed.map(({ ref }) => work.insist('signal cancel', () => work.fabric.answers.cancel(ref))))
  return closed
}
