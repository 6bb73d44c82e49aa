import {
  type Answer,
  type AnswerRef,
  type BeginCause,
  beginEvent,
  crashesOf,
  type Job,
  type Session,
  type Turn,
} from '@chatbox/core'
import type { Answering } from './answering.ts'
import { isSuspect } from './suspects.ts'
import { insist, type Work } from './work.ts'

/** An attempt that is this worker's alone: the database gave the number to nobody else (R12). */
export interface Attempt {
  readonly ref: AnswerRef
  readonly number: number
  readonly turn: Turn
  readonly answer: Answer
  readonly session: Session
}

export type Claim =
  | { readonly kind: 'begun'; readonly attempt: Attempt }
  /** Somebody asked for it to stop before this attempt, and nobody else will end it now. */
  | { readonly kind: 'cancelled'; readonly attempt: Attempt }
  | { readonly kind: 'crashed-too-often'; readonly attempt: Attempt }
  /** An earlier attempt had recorded its end, and only that did not arrive. */
  | {
      readonly kind: 'ended-before'
      readonly turn: Turn
      readonly ref: AnswerRef
      readonly attempt: number
      readonly body: Uint8Array
    }
  /** It has ended, or is somebody else's. */
  | { readonly kind: 'none' }

const NONE: Claim = { kind: 'none' }

/** From a job to an attempt under way. */
export async function claim(work: Work, answering: Answering, job: Job): Promise<Claim> {
  const { conversations, answerLimits } = work
  const turn = await insist(work, 'read turn', answering.left, () =>
    conversations.turnByAnswerId(job.sid, job.answerId),
  )
  const known = turn?.answer
  if (!turn || known?.answerId !== job.answerId || known.status !== 'pending') return NONE
  // The answer was queued again under a later name; whoever has that job is the one to begin.
  if (job.n < known.n) return NONE

  const end = await endBefore(work, answering, turn, known)
  if (end) return end
  if (isSuspect(known, answerLimits)) {
    work.log.warn({ sid: turn.sid, answerId: job.answerId, attempt: known.attempt }, 'an answer is tried by itself')
    await work.suspects.enter(answering)
  }
  const attempt = await nextAttempt(work, answering, turn, known.attempt, 'fresh')
  if (!attempt) return NONE
  if (attempt.answer.cancelAt !== undefined) return { kind: 'cancelled', attempt }
  // This attempt counts as one until it has ended.
  if (crashesOf(attempt.answer) > answerLimits.maxCrashes) return { kind: 'crashed-too-often', attempt }
  return (await openRecord(work, answering, attempt)) ? { kind: 'begun', attempt } : NONE
}

/** A worker that died after it had recorded the end has done the work; doing it again would take a finished text away. */
async function endBefore(work: Work, answering: Answering, turn: Turn, answer: Answer): Promise<Claim | undefined> {
  if (answer.attempt === 0) return undefined
  const ref = refOf(turn, answer)
  const [record] = await insist(work, 'inspect', answering.left, () => work.fabric.answers.inspect([ref]))
  if (record?.end?.header.attempt !== answer.attempt) return undefined
  return { kind: 'ended-before', turn, ref, attempt: answer.attempt, body: record.end.body }
}

/** A turn that has an answer was written by the session's user. */
const refOf = ({ authorId, sid, seq }: Turn, { answerId }: Answer): AnswerRef => ({
  uid: authorId,
  sid,
  answerId,
  seq: seq + 1,
})

/** The compare-and-set alone. Undefined: it has ended, or somebody else has begun. */
export async function nextAttempt(
  work: Work,
  answering: Answering,
  { sid }: Pick<Turn, 'sid'>,
  from: number,
  cause: BeginCause,
): Promise<Attempt | undefined> {
  const { answerId } = answering
  const begun = await insist(work, 'begin attempt', answering.left, () =>
    work.conversations.beginAttempt(sid, answerId, from, cause),
  )
  const { turn, session } = begun ?? {}
  const answer = turn?.answer
  if (!turn || !session || answer?.answerId !== answerId) {
    work.log.info({ sid, answerId, from, cause }, 'somebody else has this answer, or it has ended')
    return undefined
  }
  const ref = refOf(turn, answer)
  answering.ref = ref
  return { ref, number: answer.attempt, turn, answer, session }
}

/** False: the store knows of something that outranks this attempt; whoever did that sees to the answer's end. */
export async function openRecord(work: Work, answering: Answering, attempt: Attempt): Promise<boolean> {
  const { ref, number, answer, session } = attempt
  const { answers } = work.fabric
  if (session.endTs !== undefined || session.adminAssisted || session.erased) {
    // Read with the higher epoch that came with it, so the store's fence would let this attempt pass (R20). Who changed the
    // session ends what was pending in it.
    work.log.info({ sid: ref.sid, answerId: ref.answerId, attempt: number }, 'no model speaks in this session any more')
    return false
  }
  const announce = beginEvent(ref, number, answer.modelId)
  const outcome = await insist(work, 'open record', answering.left, () =>
    answers.begin(ref, number, session.ownerEpoch, announce),
  )
  if (outcome === 'begun') return true
  if (outcome === 'stale') {
    // A repetition after a lost reply: nobody else has this number, so a record that has it is ours.
    const [record] = await insist(work, 'inspect', answering.left, () => answers.inspect([ref]))
    if (record?.attempt === number && record.state === 'open') return true
  }
  work.log.info({ sid: ref.sid, answerId: ref.answerId, attempt: number, outcome }, 'the answer may not be begun')
  return false
}
