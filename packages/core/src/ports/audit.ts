import type { RequestId, SessionId, UserId } from '../ids.ts'

/** What was done, by whom and to what; never what was said. */
export interface AuditRecord {
  /** One request is one record, however often it is repeated. */
  readonly requestId: RequestId
  readonly ts: number
  /** A user's or an admin's id, or the name of a part of this system. */
  readonly actor: string
  readonly action: string
  readonly uid?: UserId
  readonly sid?: SessionId
  /** Numbers and codes only. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

/** A record in its chain: each holds the hash of the one before, so that a change, a loss or an exchange shows. */
export interface AuditEntry extends AuditRecord {
  readonly partition: number
  /** From 1, without gaps. */
  readonly n: number
  /** Of the entry before; empty for the first. */
  readonly prev: string
  readonly hash: string
}

/** One hash chain per partition, written by the partition's owner. */
export interface Audit {
  /** The last one of the chain. */
  last(partition: number): Promise<AuditEntry | undefined>
  /** `taken`: somebody else has this place. `recorded-before`: this partition has a record of this request. */
  append(entry: AuditEntry): Promise<'appended' | 'taken' | 'recorded-before'>
  /** After the one with this number, in order. */
  read(partition: number, after: number, limit: number): Promise<AuditEntry[]>
}
