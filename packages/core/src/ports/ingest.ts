import type { RequestId } from '../ids.ts'
import type { Packet } from '../packet.ts'

export interface EntryHeader {
  /** Unique per request; outcomes are kept under it. */
  readonly requestId: RequestId
  readonly kind: string
}

/** The body is the entry as JSON (rules/entries.ts). */
export type EntryPacket = Packet<EntryHeader>

export interface NewEntry {
  readonly partition: number
  readonly packet: EntryPacket
  /** From the moment it is taken, in the log's own time; an entry that is past it must be refused (R9). Without it it never expires. */
  readonly ttlMs?: number
  /** Ends of answers may use room that requests may not, so that a full log can drain (R7). */
  readonly headroom?: boolean
}

/** `unknown`: the log did not answer; it may have been taken. */
export type Taken = 'taken' | 'full' | 'unknown'

export interface Entry {
  /** Its place in the partition. */
  readonly id: string
  readonly packet: EntryPacket
  /** In the log's time. */
  readonly until?: number
  /** How many times an owner has begun to work on it, this time included. */
  readonly tries: number
}

export interface OutcomeHeader {
  readonly requestId: RequestId
  readonly class: 'outcome'
}

/** The body is JSON that the one who asked understands. */
export type OutcomePacket = Packet<OutcomeHeader>

export interface Done {
  readonly id: string
  readonly outcome?: OutcomePacket
}

/**
 * An entry that was put aside. It says what an operator finds in the log of the service, and nothing of what was asked for: it is kept
 * without a limit of time, and would outlive an erasure (R22).
 */
export interface DeadLetter {
  readonly requestId: RequestId
  readonly kind: string
  readonly reason: string
  readonly tries: number
  /** In the log's time. */
  readonly at: number
}

/** The reading end of one partition, for the owner alone. */
export interface EntrySource {
  /**
   * The entries after those already read, in order, at most `max`; waits until there is one. The first read starts at the head, so
   * that what an earlier owner left is read again. Counts a try for each before it returns, and returns nothing behind one that an earlier
   * owner has read: what comes next is counted when that one is through (R7). Rejects with the signal's reason when aborted.
   */
  read(max: number, signal: AbortSignal): Promise<{ readonly entries: readonly Entry[]; readonly now: number }>
  /** Deletes entries and keeps their outcomes for 10 minutes. */
  remove(done: readonly Done[]): Promise<void>
  /** Deletes an entry, and keeps that it was there among the dead letters. */
  bury(id: string, reason: string, outcome?: OutcomePacket): Promise<void>
  close(): Promise<void>
}

/** What sockets, REST, workers and timers ask for, in order per partition (R6). */
export interface Ingest {
  append(entry: NewEntry): Promise<Taken>
  /** Only for the holder of the partition's lease; closes a source that this process had before. */
  own(partition: number): Promise<EntrySource>
  /** What became of a request that was appended to this partition; kept where its entries are, so that it can be had if they can. */
  outcome(partition: number, requestId: RequestId): Promise<OutcomePacket | undefined>
  /** The log's clock, which deadlines are counted by (R11). */
  now(): Promise<number>
  /** Entries that wait, and dead letters. */
  backlog(partition: number): Promise<{ readonly waiting: number; readonly dead: number }>
  /** The latest that were put aside, oldest first. */
  deadLetters(partition: number): Promise<readonly DeadLetter[]>
}
