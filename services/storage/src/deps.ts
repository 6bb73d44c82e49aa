import type { AnswerLimits, Conversations, Fabric, Leases, ModelList, ReplicaId } from '@chatbox/core'
import type { Logger, Verifier } from '@chatbox/runtime'
import type { StorageMetrics } from './metrics.ts'

/** Clocks of the service, all of them configurable (R30). */
export interface StorageTimes {
  readonly leaseMs: number
  readonly sweepMs: number
  /** How long what is cached of a session outlives its last use (S5). */
  readonly sessionGraceMs: number
}

export const defaultStorageTimes: StorageTimes = { leaseMs: 10_000, sweepMs: 5_000, sessionGraceMs: 300_000 }

export interface StorageDeps {
  readonly replica: ReplicaId
  readonly fabric: Pick<Fabric, 'bus' | 'answers' | 'ingest' | 'jobs' | 'limiter'>
  readonly conversations: Conversations
  readonly leases: Leases
  readonly models: ModelList
  readonly answerLimits: AnswerLimits
  readonly verify: Verifier
  readonly log: Logger
  readonly metrics: StorageMetrics
}
