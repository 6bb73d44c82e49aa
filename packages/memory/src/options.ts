import { type LimitRule, MAX_ANSWER_BYTES } from '@chatbox/core'

/** Every interval of the fabric, in milliseconds (R30). */
export interface MemoryClocks {
  /** Ended answers, marks of answers that may not begin, and cancel flags are kept this long after their last change (R14). */
  readonly endedMs: number
  /**
   * What nobody touched for this long goes: a user's log (unless somebody is subscribed, R25), an owner epoch, and an
   * open answer whose worker never came back.
   */
  readonly idleMs: number
  /** Outcomes of requests are kept this long (R9). */
  readonly outcomeMs: number
  /** An edge that did not renew for this long is dead (S8). */
  readonly edgeLeaseMs: number
  /** From the loss of a worker to the return of its job. */
  readonly jobStallMs: number
  /** How often what has run out is released (S5). Nothing that has run out is seen before, it only takes room. */
  readonly sweepMs: number
}

/** The most that is kept of anything (P10). */
export interface MemoryBounds {
  /** Events in one user's log. */
  readonly logEvents: number
  /** Bytes of one answer's chunks as they are stored; the text in them is never longer. */
  readonly answerBytes: number
  /** Entries of one partition; ends of answers may use a tenth more (R7). */
  readonly partitionEntries: number
  /** Bytes of the entries of all partitions; ends of answers may use a tenth more. */
  readonly entryBytes: number
  /** Entries put aside, in one partition; the oldest go first. */
  readonly deadLetters: number
  /** Outcomes that are kept; the oldest go first. */
  readonly outcomes: number
  /** Jobs that wait. */
  readonly jobs: number
}

export interface MemoryOptions {
  /** The limiter's buckets. */
  readonly limits?: Readonly<Record<string, LimitRule>>
  readonly clocks?: Partial<MemoryClocks>
  readonly bounds?: Partial<MemoryBounds>
  /** Milliseconds; what every clock of the fabric but the limiter's is read from. */
  readonly now?: () => number
  /** What a listener or a job's handler threw. Without it a listener's fault is an uncaught exception. */
  readonly onError?: (error: unknown) => void
  /** Told what a clean-up let go (S5). */
  readonly onReleased?: (structure: MemoryStructure, count: number) => void
}

/** What a process keeps in memory for the fabric, as named in its metrics. */
export type MemoryStructure =
  | 'users'
  | 'answers'
  | 'subscriptions'
  | 'entries'
  | 'outcomes'
  | 'dead_letters'
  | 'jobs'
  | 'connections'
  | 'edges'
  | 'limit_keys'

export type MemorySizes = Readonly<Record<MemoryStructure, number>>

export const defaultClocks: MemoryClocks = {
  endedMs: 600_000,
  idleMs: 3_600_000,
  outcomeMs: 600_000,
  edgeLeaseMs: 15_000,
  jobStallMs: 0,
  sweepMs: 10_000,
}

export const defaultBounds: MemoryBounds = {
  logEvents: 1_000,
  answerBytes: MAX_ANSWER_BYTES,
  partitionEntries: 10_000,
  entryBytes: 256 * 1024 * 1024,
  deadLetters: 100,
  outcomes: 200_000,
  jobs: 100_000,
}
