import { Refusal, type SessionId, type UserId } from '@chatbox/core'
import type { SessionState } from '../session-states.ts'
import type { Work } from '../work.ts'

/** A session of this user; a foreign one is as unknown as one that does not exist (S1). */
export async function ownSession(work: Work, sid: SessionId, uid: UserId, until?: number): Promise<SessionState> {
  const state = await work.insist('read session', () => work.states.get(sid), until)
  if (state?.session.uid !== uid || state.session.erased) throw new Refusal('not_found')
  return state
}
