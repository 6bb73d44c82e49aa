import {
  type AnswerLimits,
  type Audit,
  type Conversations,
  type DisabledUsers,
  type Fabric,
  type Leases,
  type ModelList,
  REQUEST_TTL_MS,
  type ReplicaId,
  type UserId,
} from '@chatbox/core'
import type { Logger, Verifier } from '@chatbox/runtime'
import type { StorageMetrics } from './metrics.ts'

/** Clocks of the service, all of them configurable (R30). */
export interface StorageTimes {
  readonly leaseMs: number
  readonly sweepMs: number
  /** How long what is cached of a session outlives its last use (S5). */
  readonly sessionGraceMs: number
  /** How often the mirror of disabled users is compared with the database. With how often edges look at it this bounds how long a disabled user stays: 5 s (R23). */
  readonly mirrorLookMs: number
  /** How often it is looked for sessions that are older than they may be. */
  readonly retentionMs: number
  /** How long somebody who asked over REST waits at most (P8). */
  readonly requestMs: number
}

export const defaultStorageTimes: StorageTimes = {
  leaseMs: 10_000,
  sweepMs: 5_000,
  sessionGraceMs: 300_000,
  mirrorLookMs: 1_000,
  retentionMs: 3_600_000,
  requestMs: REQUEST_TTL_MS,
}

export interface StorageDeps {
  readonly replica: ReplicaId
  readonly fabric: Pick<Fabric, 'bus' | 'answers' | 'ingest' | 'jobs' | 'limiter' | 'disabled'>
  readonly conversations: Conversations
  readonly leases: Leases
  readonly disabledUsers: DisabledUsers
  readonly audit: Audit
  /** A keyed hash of a user's id: what stays in the audit, and of erased sessions, in place of the id. */
  readonly aliasOf: (uid: UserId) => UserId
  readonly models: ModelList
  readonly answerLimits: AnswerLimits
  readonly verify: Verifier
  /** The same on every replica: keys the ids of requests that may be repeated, and the links they give out. */
  readonly requestSecret: string
  readonly log: Logger
  readonly metrics: StorageMetrics
}

/** What may be kept, and how much may be used. */
export interface StoragePolicy {
  /** Sessions without activity for longer are erased. Without it, none is. */
  readonly retentionMs?: number | undefined
  /** Tokens that the answers of one user may cost in a day (UTC). Without it there is no end to it. */
  readonly tokensPerDay?: number | undefined
}
