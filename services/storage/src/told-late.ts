import { answerFeedbackEvent, type EntryBody, sessionUpdatedEvent } from '@chatbox/core'
import { announce, type Work } from './work.ts'

/**
 * For an entry that somebody has begun and whose time is over. It is not done any more (R9), but it may have been, by an owner who died
 * before anybody was told; and what is no turn has no mark that a sweeper would find. So what is stored is told as it is (R8).
 */
export async function tellWhatIsStored(work: Work, entry: EntryBody): Promise<void> {
  switch (entry.kind) {
    case 'session.rename':
    case 'session.model':
    case 'session.read':
    case 'session.share': {
      const state = await work.insist('read session', () => work.states.get(entry.sid))
      if (state?.session.uid === entry.uid) await announce(work, entry.uid, sessionUpdatedEvent(state.session))
      return
    }
    case 'answer.feedback': {
      const { uid, sid, answerId } = entry
      const state = await work.insist('read session', () => work.states.get(sid))
      if (state?.session.uid !== uid || state.session.erased) return
      const turn = await work.insist('read turn', () => work.conversations.turnByAnswerId(sid, answerId))
      if (turn?.answer?.answerId === answerId) await announce(work, uid, answerFeedbackEvent(turn, turn.answer))
      return
    }
  }
}
