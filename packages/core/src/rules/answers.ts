import { createHash } from 'node:crypto'
import type { AnswerId } from '../ids.ts'
import type { AnswerRecord } from '../ports/answers.ts'
import type { Answer } from '../turn.ts'

/** How often an answer may fail before it fails for good, and how long it may take (R13, R17). */
export interface AnswerLimits {
  readonly maxCrashes: number
  readonly maxQueueMs: number
  readonly totalMs: number
  /** An attempt that was heard of within this time is at work. */
  readonly aliveMs: number
}

export const defaultAnswerLimits: AnswerLimits = {
  maxCrashes: 3,
  maxQueueMs: 600_000,
  totalMs: 300_000,
  aliveMs: 20_000,
}

/** The most that the text of an answer may hold, in bytes (R14). */
export const MAX_ANSWER_BYTES = 262_144

/** How many answers of one session may wait for their turn (R16). */
export const MAX_WAITING = 8

export const newAnswer = (answerId: AnswerId, modelId: string, now: number, due: number | undefined): Answer => ({
  answerId,
  status: 'pending',
  attempt: 0,
  faults: 0,
  handbacks: 0,
  n: 0,
  modelId,
  askedAt: now,
  ...(due !== undefined && { due }),
})

/** Its clock starts when its turn comes (R17). */
export const dueFrom = (now: number, limits: AnswerLimits): number => now + limits.maxQueueMs + limits.totalMs

/** Attempts that vanished: neither ended by a fault that was told, nor handed back. */
export const crashesOf = (answer: Pick<Answer, 'attempt' | 'faults' | 'handbacks'>): number =>
  Math.max(0, answer.attempt - answer.faults - answer.handbacks)

export type SweepVerdict =
  | 'leave'
  /** A worker recorded the end, but it has not arrived. */
  | 'apply-end'
  /** Somebody asked for it to stop, and nobody is at work on it. */
  | 'cancel'
  | 'overdue'
  | 'crashed-too-often'
  /** Nobody works on it and no job waits. */
  | 'queue'

/** What the sweeper does about an answer whose turn has come (R17). */
export function sweep(
  answer: Answer,
  seen: { readonly record: AnswerRecord | undefined; readonly jobExists: boolean },
  now: number,
  limits: AnswerLimits,
): SweepVerdict {
  if (answer.status !== 'pending') return 'leave'
  // The end of an attempt that has been overtaken would be refused again and again (R12).
  if (seen.record?.state === 'ended' && seen.record.end?.header.attempt === answer.attempt) return 'apply-end'
  if (answer.due !== undefined && now > answer.due) return 'overdue'
  // Attempts begin in the database (R12): the answer was read before, and what has become of it since is not known.
  if (seen.record && seen.record.attempt > answer.attempt) return 'leave'
  if (seen.record?.state === 'open' && seen.record.idleMs < limits.aliveMs) return 'leave'
  if (answer.cancelAt !== undefined) return 'cancel'
  if (seen.jobExists) return 'leave'
  return crashesOf(answer) >= limits.maxCrashes ? 'crashed-too-often' : 'queue'
}

/** What `answer.done` says of the text, so that a client can tell whether it has the same. */
export function fingerprint(text: string): { length: number; hash: string } {
  const bytes = Buffer.from(text, 'utf8')
  return { length: bytes.length, hash: createHash('sha256').update(bytes).digest('hex').slice(0, 32) }
}
