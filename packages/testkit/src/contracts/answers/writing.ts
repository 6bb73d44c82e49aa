import type { AnswerRef, Answers, ChunkOutcome } from '@chatbox/core'
import { announcement, chunk, texts } from '../samples.ts'

export const begin = (answers: Answers, ref: AnswerRef, attempt = 1, epoch = 0) =>
  answers.begin(ref, attempt, epoch, announcement(ref, attempt))

export async function append(
  answers: Answers,
  ref: AnswerRef,
  attempt: number,
  index: number,
  body: string,
): Promise<ChunkOutcome | undefined> {
  return (await answers.append([chunk(ref, attempt, index, body)]))[0]
}

/** Begins the attempt and appends these chunks. */
export async function write(answers: Answers, ref: AnswerRef, bodies: readonly string[], attempt = 1, epoch = 0) {
  const begun = await begin(answers, ref, attempt, epoch)
  const outcomes = await answers.append(bodies.map((body, index) => chunk(ref, attempt, index, body)))
  if (begun !== 'begun' || outcomes.some((outcome) => outcome !== 'accepted')) {
    throw new Error(`not written: ${begun}, ${outcomes}`)
  }
}

/** What an open answer says so far; undefined if it is not open. */
export async function openText(answers: Answers, ref: AnswerRef): Promise<string | undefined> {
  const { open } = await answers.snapshot(ref.uid)
  const answer = open.find((one) => one.ref.answerId === ref.answerId)
  return answer && texts(answer.chunks).join('')
}
