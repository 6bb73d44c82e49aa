import type { EntryBody } from '@chatbox/core'
import { answerEnd } from './handlers/answer-end.ts'
import { cancel } from './handlers/cancel.ts'
import { eraseSession, eraseUser } from './handlers/erase.ts'
import { feedback } from './handlers/feedback.ts'
import { handback } from './handlers/handback.ts'
import { regenerate } from './handlers/regenerate.ts'
import { send } from './handlers/send.ts'
import { chooseModel, endSession, markRead, rename, share } from './handlers/session.ts'
import type { Circumstances, Work } from './work.ts'

/** One entry of the log, whatever it asks for. Resolves when everything that follows from it is done; throws `Refusal` for the asker. */
export function apply(work: Work, entry: EntryBody, circumstances: Circumstances): Promise<void> {
  switch (entry.kind) {
    case 'send':
      return send(work, entry, circumstances)
    case 'answer.end':
      return answerEnd(work, entry)
    case 'answer.handback':
      return handback(work, entry)
    case 'answer.cancel':
      return cancel(work, entry)
    case 'answer.regenerate':
      return regenerate(work, entry, circumstances)
    case 'session.model':
      return chooseModel(work, entry)
    case 'session.read':
      return markRead(work, entry)
    case 'session.end':
      return endSession(work, entry)
    case 'session.rename':
      return rename(work, entry)
    case 'session.share':
      return share(work, entry)
    case 'session.erase':
      return eraseSession(work, entry)
    case 'user.erase':
      return eraseUser(work, entry)
    case 'answer.feedback':
      return feedback(work, entry)
  }
}
