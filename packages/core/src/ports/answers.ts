import type { AnswerId, SessionId, UserId } from '../ids.ts'
import type { ChunkPacket, EventPacket, Packet } from '../packet.ts'
import type { Position } from '../position.ts'
import type { Unsubscribe } from './bus.ts'

/** One answer; the user's id says where its record lives. `seq` is that of the answer. */
export interface AnswerRef {
  readonly uid: UserId
  readonly sid: SessionId
  readonly answerId: AnswerId
  readonly seq: number
}

export interface ChunkAppend {
  readonly ref: AnswerRef
  readonly attempt: number
  /** From 0. The same index always has the same bytes (R14). */
  readonly index: number
  readonly chunk: ChunkPacket
}

/**
 * `accepted`, also for a chunk that was accepted before. `stale`: a higher attempt has begun. `ended`: this attempt, or all of
 * the answer, was ended. `gone`: there is no record, because the store lost it. `full`: the text would become too long.
 * `unknown`: the store, or the part of it that has this answer, did not tell; the same bytes are to be sent again (R14).
 */
export type ChunkOutcome = 'accepted' | 'stale' | 'ended' | 'gone' | 'full' | 'unknown'

export interface EndHeader {
  readonly answerId: AnswerId
  readonly attempt: number
  /** What the packet is; part of the additional data, so that it can't pass for a chunk. */
  readonly class: 'end'
}

/** The body says how the answer ended, as JSON of `AnswerEnd`. */
export type EndPacket = Packet<EndHeader>

export interface ClosedAnswer {
  readonly ref: AnswerRef
  readonly attempt: number
  /** Exactly the chunks that were accepted, in order; none where there is an end, which has the text. */
  readonly chunks: readonly ChunkPacket[]
  /** The end that a worker had recorded before. */
  readonly end?: EndPacket
}

export interface OpenAnswer {
  readonly ref: AnswerRef
  readonly attempt: number
  readonly next: number
  readonly chunks: readonly ChunkPacket[]
}

export interface AnswersSnapshot {
  /** The top of the user's log and the sessions' owner epochs at the same instant (R21). */
  readonly top: Position
  readonly epochs: ReadonlyMap<SessionId, number>
  readonly open: readonly OpenAnswer[]
}

export interface AnswerRecord {
  readonly attempt: number
  readonly state: 'open' | 'ended'
  /** Since the last begin or append, by the store's clock. */
  readonly idleMs: number
  readonly end?: EndPacket
}

/**
 * Answers while they are being written. Everything is fenced by the attempt, and by the session's owner epoch (R12, R20).
 * What the store holds may be lost at any time; the database has the truth.
 */
export interface Answers {
  /**
   * Opens a record for this attempt and publishes `announce`, in one step. `stale`: the same or a higher attempt has begun.
   * `fenced`: the session has a higher owner epoch. `ended`: the answer was closed before anybody began.
   */
  begin(
    ref: AnswerRef,
    attempt: number,
    epoch: number,
    announce: EventPacket,
  ): Promise<'begun' | 'stale' | 'fenced' | 'ended'>
  /** Records and publishes each chunk. One call for all answers of a worker's tick (R15). Rejects when nothing is known of any. */
  append(chunks: readonly ChunkAppend[]): Promise<ChunkOutcome[]>
  /**
   * Replaces accepted chunks from…upTo-1 by one segment with the same text (R14). Segments follow one another from 0 on, so `from` is 0 or
   * where one ends, and no segment is cut in two. Refused unless the attempt is the current one. Harmless if repeated.
   */
  merge(ref: AnswerRef, attempt: number, from: number, upTo: number, segment: ChunkPacket): Promise<boolean>
  /** Sets the flag and sends the signal. */
  cancel(ref: AnswerRef): Promise<void>
  /** Reads the flags, for signals that were lost (R18). */
  cancelled(refs: readonly AnswerRef[]): Promise<boolean[]>
  onCancel(listener: (answerId: AnswerId) => void): Promise<Unsubscribe>
  /** Records the end in the place of the chunks; refuses every later append. Repeating it with the same attempt is harmless. */
  end(ref: AnswerRef, attempt: number, end: EndPacket): Promise<'ended' | 'stale' | 'gone'>
  inspect(refs: readonly AnswerRef[]): Promise<(AnswerRecord | undefined)[]>
  snapshot(uid: UserId): Promise<AnswersSnapshot>
  /** Ends one answer from outside and returns its exact text. Leaves a mark even where there is no record, so that no attempt can begin. */
  close(ref: AnswerRef): Promise<ClosedAnswer>
  /** Raises the session's epoch (never lowers it) and closes its open answers. Repeating it returns the same texts. */
  fence(uid: UserId, sid: SessionId, epoch: number): Promise<ClosedAnswer[]>
  /** Takes everything of a session away, epochs and marks aside (erasure). */
  forget(uid: UserId, sid: SessionId): Promise<void>
}
