import type { Turn } from '@chatbox/core'
import { afterEnd } from './end-answer.ts'
import { erase } from './handlers/erase.ts'
import { afterSend } from './handlers/send.ts'
import { finishEnding } from './handlers/session.ts'
import type { Work } from './work.ts'

/** Everything that follows from a turn that is stored and not pending, once more and from the beginning (R8, decision 10). */
export async function followUp(work: Work, turn: Turn): Promise<void> {
  const { sid } = turn
  // It was another owner's, or another life of this one: what is remembered here may be from before it (R1).
  work.states.forget(sid)
  if (turn.event === 'erased') return erase(work, sid, 'sweeper')
  if (turn.event === 'ended') return finishEnding(work, sid)
  const state = await work.insist('read session', () => work.states.get(sid))
  if (!state) return
  const { uid } = state.session
  await (turn.answer ? afterEnd(work, uid, turn, false) : afterSend(work, uid, turn))
}
