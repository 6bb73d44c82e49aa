import type { AnswerEndEntry } from '@chatbox/core'
import { endAnswer } from '../end-answer.ts'
import type { Work } from '../work.ts'

/** A worker's end counts for its own attempt only (R12); a later attempt makes it a stale one, which changes nothing. */
export async function answerEnd(work: Work, entry: AnswerEndEntry): Promise<void> {
  await endAnswer(work, entry)
}
