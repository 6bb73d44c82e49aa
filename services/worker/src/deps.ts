import type { AnswerLimits, Conversations, Fabric, ReplicaId } from '@chatbox/core'
import type { Logger } from '@chatbox/runtime'
import type { WorkerMetrics } from './metrics.ts'
import type { Model } from './provider.ts'

/** Clocks of the service, in milliseconds, all of them configurable (R30). */
export interface WorkerTimes {
  /** How long a provider may take until the first token (L1). */
  readonly firstTokenMs: number
  /** How long the next token may take. */
  readonly idleMs: number
  /** How long an answer may take in this worker, over all its tries. */
  readonly totalMs: number
  /** How often what was said is sent to the store (R15). */
  readonly tickMs: number
  /** The tick is as wide as the store takes to answer, but no wider than this. */
  readonly maxTickMs: number
  /** How often the cancel flags are read, for signals that were lost (R18). */
  readonly cancelPollMs: number
  /** The wait before the first repetition of a provider's request; it doubles up to the longest. */
  readonly retryMs: number
  readonly maxRetryMs: number
  /** How long answers that have begun to speak may go on after a stop was asked for; the others are handed back at once. */
  readonly finishMs: number
  /** For how long a store may be away before an answer is left to the sweeper. */
  readonly awayMs: number
  /** How often the queue's clock is read (R11). */
  readonly clockMs: number
}

export const defaultWorkerTimes: Omit<WorkerTimes, 'totalMs'> = {
  firstTokenMs: 30_000,
  idleMs: 30_000,
  tickMs: 30,
  maxTickMs: 250,
  cancelPollMs: 1_000,
  retryMs: 1_000,
  maxRetryMs: 30_000,
  finishMs: 10_000,
  awayMs: 60_000,
  clockMs: 30_000,
}

export interface WorkerBounds {
  /** Answers under way at once. */
  readonly concurrency: number
  /** How often a provider is asked before the first token (L2). */
  readonly tries: number
  /** How many attempts there may be once one has begun to speak. */
  readonly triesAfterText: number
  /** UTF-16 units of an answer that the store has not got yet; beyond it the provider is not read on. */
  readonly maxUnsentUnits: number
  /** How often the record of one answer may be lost and written again. */
  readonly maxRewrites: number
}

export const defaultWorkerBounds: WorkerBounds = {
  concurrency: 50,
  tries: 3,
  triesAfterText: 2,
  maxUnsentUnits: 65_536,
  maxRewrites: 5,
}

export interface WorkerDeps {
  readonly replica: ReplicaId
  readonly fabric: Pick<Fabric, 'answers' | 'jobs' | 'ingest'>
  readonly conversations: Pick<Conversations, 'turnByAnswerId' | 'turns' | 'beginAttempt'>
  /** By the id that users pick. */
  readonly models: ReadonlyMap<string, Model>
  readonly answerLimits: AnswerLimits
  readonly log: Logger
  readonly metrics: WorkerMetrics
}
