import { type LimitRule, MAX_ANSWER_BYTES } from '@chatbox/core'
import type { ConnectionTimes, SentinelLogin } from './connection/options.ts'

/** Every interval of the fabric, in milliseconds (R30). */
export interface RedisClocks extends ConnectionTimes {
  /** Ended answers, marks of answers that may not begin, and cancel flags are kept this long after their last change (R14). */
  readonly endedMs: number
  /** What nobody touched for this long goes: a user's log (unless somebody is subscribed, R25), an owner epoch, an open answer. */
  readonly idleMs: number
  /** How often the logs of those who are subscribed are compared with what was heard, and kept from expiring (R25). */
  readonly compareMs: number
  /** Outcomes of requests are kept this long (R9). */
  readonly outcomeMs: number
  /** An edge that did not renew for this long is dead. With `edgesFreshMs` on top its rows stop counting within 15 s (S8). */
  readonly edgeLeaseMs: number
  /** How long the edges that are known to live may be believed to. */
  readonly edgesFreshMs: number
  /** How often a partition is looked at whose bell did not ring. */
  readonly pollMs: number
  /** A worker's hold on a job, and how often holds that have run out are looked for: the first and twice the second bound a takeover. */
  readonly jobLockMs: number
  readonly jobStallMs: number
}

/** The most that is kept of anything (P10). */
export interface RedisBounds {
  /** Events in one user's log. */
  readonly logEvents: number
  /** Bytes of one answer's chunks as they are stored. */
  readonly answerBytes: number
  /** Entries of one partition; ends of answers may use a tenth more (R7). */
  readonly partitionEntries: number
  /** Entries put aside, in one partition; the oldest go first. */
  readonly deadLetters: number
}

export interface RedisFabricOptions {
  readonly realtimeUrl: string
  readonly queueUrl: string
  /** The authority that signed the servers' certificates, as PEM, where it is none that everybody knows. */
  readonly ca?: string | undefined
  /** Who one is to the sentinels, where they ask for it; the users of the servers are in the addresses. */
  readonly sentinel?: SentinelLogin | undefined
  /** In front of every key and channel, so that several installations can share a Redis. Default `chatbox`. */
  readonly prefix?: string
  /** The limiter's buckets. */
  readonly limits?: Readonly<Record<string, LimitRule>>
  readonly clocks?: Partial<RedisClocks>
  readonly bounds?: Partial<RedisBounds>
  /** For the log: what happened to a connection. */
  readonly onConnection?: (role: StoreRole, what: 'up' | 'down' | 'deaf' | 'moved', reason?: unknown) => void
  /** For the log: the server of this role throws away what has to stay when its memory is full, by this policy. */
  readonly onEviction?: (role: StoreRole, policy: string) => void
  /** Told each time that a rate limit was counted in this process alone, because Redis could not be asked. */
  readonly onLimitedAlone?: () => void
  /** What a listener or a job's handler threw. */
  readonly onError?: (error: unknown) => void
  /** For the log: what went wrong between the job queue and its Redis. It goes on by itself. */
  readonly onJobFault?: (fault: unknown) => void
}

/** `realtime` has bus, answers, registry and limits and may be lost; `queue` has entries and jobs. */
export type StoreRole = 'realtime' | 'queue'

export const defaultClocks: Omit<RedisClocks, keyof ConnectionTimes> = {
  endedMs: 600_000,
  idleMs: 3_600_000,
  compareMs: 30_000,
  outcomeMs: 600_000,
  edgeLeaseMs: 13_000,
  edgesFreshMs: 1_000,
  pollMs: 1_000,
  jobLockMs: 10_000,
  jobStallMs: 2_000,
}

export const defaultBounds: RedisBounds = {
  logEvents: 1_000,
  answerBytes: MAX_ANSWER_BYTES,
  partitionEntries: 10_000,
  deadLetters: 100,
}
