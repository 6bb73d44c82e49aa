import type { AnswerId, AnswerRecord, Answers, ClosedAnswer, OpenAnswer } from '@chatbox/core'
import {
  type AnswerState,
  appendState,
  beginState,
  chunksOf,
  closedAnswerOf,
  closeState,
  endState,
  mergeState,
  wipe,
} from './answer-state.ts'
import type { Channels } from './channels.ts'
import { loaded, stored } from './codec.ts'
import type { MemoryBounds } from './options.ts'
import type { Users } from './users.ts'

/** All workers hear all cancels. */
export type CancelChannel = Channels<'cancels', (answerId: AnswerId) => void>

export interface AnswersOptions {
  readonly users: Users
  readonly cancels: CancelChannel
  readonly bounds: MemoryBounds
  readonly now: () => number
}

export function createAnswers({ users, cancels, bounds, now }: AnswersOptions): Answers {
  const ofSession = (uid: AnswerState['ref']['uid'], sid: AnswerState['ref']['sid']) =>
    users.answers(uid).filter((answer) => answer.ref.sid === sid)

  return {
    async begin(ref, attempt, epoch, announce) {
      if (epoch < users.epoch(ref.uid, ref.sid)) return 'fenced'
      const outcome = beginState(users.answerFor(ref), attempt, now())
      if (outcome !== 'begun') return outcome
      if (announce.header.class === 'logged') users.append(ref.uid, announce)
      else users.publish(ref.uid, stored(announce))
      return outcome
    },
    async append(chunks) {
      return chunks.map(({ ref, attempt, index, chunk }) => {
        const answer = users.answer(ref)
        if (!answer) return 'gone'
        const kept = stored(chunk)
        const before = answer.next
        const outcome = appendState(answer, attempt, index, kept, bounds.answerBytes)
        if (outcome === 'accepted') answer.workedAt = now()
        // A chunk that comes again was shown already.
        if (answer.next > before) users.publish(ref.uid, kept)
        return outcome
      })
    },
    async merge(ref, attempt, from, upTo, segment) {
      const answer = users.answer(ref)
      return (
        answer !== undefined && mergeState(answer, attempt, { from, upTo, stored: stored(segment) }, bounds.answerBytes)
      )
    },
    async cancel(ref) {
      const answer = users.answerFor(ref)
      answer.cancelled = true
      if (answer.phase === 'none') answer.changedAt = now()
      const { answerId } = ref
      cancels.post('cancels', (listener) => listener(answerId))
    },
    async cancelled(refs) {
      return refs.map((ref) => users.answer(ref)?.cancelled ?? false)
    },
    async onCancel(listener) {
      const leave = cancels.add('cancels', listener)
      return async () => leave()
    },
    async end(ref, attempt, end) {
      const answer = users.answer(ref)
      return answer ? endState(answer, attempt, stored(end), now()) : 'gone'
    },
    async inspect(refs) {
      return refs.map((ref) => recordOf(users.answer(ref), now()))
    },
    async snapshot(uid) {
      const log = users.log(uid)
      const open = users.answers(uid).filter(({ phase }) => phase === 'open')
      return { top: users.at(log, log.top), epochs: users.epochs(uid), open: open.map(openAnswerOf) }
    },
    async close(ref) {
      const answer = users.answerFor(ref)
      closeState(answer, now())
      return closedAnswerOf(answer)
    },
    async fence(uid, sid, epoch): Promise<ClosedAnswer[]> {
      const answers = ofSession(uid, sid)
      // Only the first time: what a later attempt began under this epoch is none of a repetition's business.
      if (epoch > users.epoch(uid, sid)) {
        users.raise(uid, sid, epoch)
        for (const answer of answers) {
          if (answer.phase === 'open' || answer.phase === 'ended') closeState(answer, now(), epoch)
        }
      }
      return answers.filter(({ fencedBy }) => fencedBy === epoch).map(closedAnswerOf)
    },
    async forget(uid, sid) {
      for (const answer of ofSession(uid, sid)) {
        if (answer.phase === 'none') users.dropAnswer(answer.ref)
        else {
          wipe(answer)
          closeState(answer, now())
        }
      }
    },
  }
}

const openAnswerOf = (answer: AnswerState): OpenAnswer => ({
  ref: { ...answer.ref },
  attempt: answer.attempt,
  next: answer.next,
  chunks: chunksOf(answer),
})

function recordOf(answer: AnswerState | undefined, now: number): AnswerRecord | undefined {
  if (!answer || answer.phase === 'none') return undefined
  return {
    attempt: answer.attempt,
    state: answer.phase === 'open' ? 'open' : 'ended',
    idleMs: Math.max(0, now - answer.workedAt),
    ...(answer.end && { end: loaded(answer.end) }),
  }
}
