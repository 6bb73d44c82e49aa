import type { AnswerLimits, Audit, Conversations, EventPacket, Fabric, ModelList, Turn, UserId } from '@chatbox/core'
import type { Logger } from '@chatbox/runtime'
import type { StorageMetrics } from './metrics.ts'
import type { OwnedStates } from './session-states.ts'

/** Somebody else owns the partition now: whatever this replica still wanted to do there is no longer its business (R6). */
export class LostPartition extends Error {
  override readonly name = 'LostPartition'
}

/** What the handlers of one owned partition work with. */
export interface Work {
  readonly partition: number
  readonly gen: number
  readonly conversations: Conversations
  readonly fabric: Pick<Fabric, 'bus' | 'answers' | 'ingest' | 'jobs'>
  readonly audit: Audit
  readonly states: OwnedStates
  /** What stands for a user wherever it must outlive the user's data. */
  readonly aliasOf: (uid: UserId) => UserId
  /** Tokens that a user may use in a day (UTC); without it there is no end to it. */
  readonly tokensPerDay: number | undefined
  readonly models: ModelList
  readonly answerLimits: AnswerLimits
  readonly log: Logger
  readonly metrics: StorageMetrics
  /** The ingest log's time (R11). */
  now(): number
  /** Runs until it succeeds while the store is away; gives up when the partition is left, or at `until` (D3). */
  insist<T>(what: string, attempt: () => Promise<T>, until?: number): Promise<T>
}

/** How an entry came to be worked on. */
export interface Circumstances {
  /** In the log's time; past it, whoever asked has been told something else. */
  readonly until: number | undefined
  /** Somebody has begun to work on it before, and how far that went, or may yet go, is not known. */
  readonly triedBefore: boolean
}

/** Adds to the user's log; the way every change is told (R8). */
export async function announce(work: Work, uid: UserId, event: EventPacket): Promise<void> {
  const added = await work.insist('announce', () => work.fabric.bus.append(uid, event, work.gen))
  if (added.kind === 'stale') throw new LostPartition(`partition ${work.partition} has a newer owner`)
}

/** Everything that follows from the turn is done, so no sweeper need look at it again (decision 10). */
export async function settle(work: Work, { sid, seq, answer }: Turn): Promise<void> {
  if (answer?.status === 'pending') return
  await work.insist('settle', () => work.conversations.settle(sid, seq, answer?.answerId))
}
