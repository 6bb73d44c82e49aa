import type { EntryBody } from '@chatbox/core'
import { answerEnd } from './handlers/answer-end.ts'
import { cancel } from './handlers/cancel.ts'
import { handback } from './handlers/handback.ts'
import { send } from './handlers/send.ts'
import { chooseModel, endSession, markRead } from './handlers/session.ts'
import type { Work } from './work.ts'

/** One entry of the log, whatever it asks for. Resolves when everything that follows from it is done; throws `Refusal` for the asker. */
export function apply(work: Work, entry: EntryBody, until: number | undefined): Promise<void> {
  switch (entry.kind) {
    case 'send':
      return send(work, entry, until)
    case 'answer.end':
      return answerEnd(work, entry)
    case 'answer.handback':
      return handback(work, entry)
    case 'answer.cancel':
      return cancel(work, entry)
    case 'session.model':
      return chooseModel(work, entry)
    case 'session.read':
      return markRead(work, entry)
    case 'session.end':
      return endSession(work, entry)
  }
}
