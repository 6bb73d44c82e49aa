import type { AnswerId, ClientMessageId, SessionId, UserId } from '../ids.ts'
import type { Session, SessionChange } from '../session.ts'
import type { Answer, AnswerEnd, Content, Feedback, Turn } from '../turn.ts'

export type Inserted =
  | { readonly kind: 'inserted' }
  /** Unique (sid, seq): somebody else has this place. */
  | { readonly kind: 'place-taken' }
  /** Unique (authorId, cmid): this message is there already. */
  | { readonly kind: 'sent-before' }

export interface SessionPageQuery {
  readonly limit: number
  /** The last one of the page before. */
  readonly after?: { readonly lastActivity: number; readonly sid: SessionId }
}

/** With neither bound: the highest first. With both: the turns that reach into what is between, the lowest first. */
export interface TurnPageQuery {
  readonly limit: number
  /** Turns that reach below this seq, the highest first. */
  readonly before?: number
  /** Turns that reach above this seq, the lowest first. */
  readonly after?: number
  /** Without the answers that were superseded, which may be many times as long as all that is shown. */
  readonly current?: true
}

/** What the rows of a session add up to (R3). */
export interface Totals {
  /** 0 for a session without rows. */
  readonly lastSeq: number
  readonly nextSeq: number
  readonly totalTokens: number
  readonly totalCost: number
  readonly pending: readonly PendingAnswer[]
}

export interface PendingAnswer {
  readonly sid: SessionId
  /** Of the question. */
  readonly seq: number
  readonly answerId: AnswerId
}

/** Where a turn stands among those of its partition. */
export interface TurnPlace {
  readonly ts: number
  readonly sid: SessionId
  readonly seq: number
}

/** Sessions that were not erased: all of a user, or those of a partition without activity since then. */
export type ErasableQuery =
  | { readonly uid: UserId; readonly limit: number }
  | { readonly partition: number; readonly before: number; readonly limit: number }

export type BeginCause = 'fresh' | 'fault' | 'gone'

export interface Begun<C, T> {
  readonly turn: Turn<C, T>
  readonly session: Session<T>
}

/** What a compare-and-set on a pending answer may change without ending it. */
export interface PendingChange {
  readonly due?: number
  readonly cancelAt?: number
  readonly n?: number
  readonly handbacks?: number
}

/**
 * Sessions and turns. Reads are of majority, writes journaled; what resolves is kept. Every query is by an index.
 * `C` and `T` are content and text: open for the services, sealed for the databases.
 */
export interface Conversations<C = Content, T = string> {
  session(sid: SessionId): Promise<Session<T> | undefined>
  /** `exists`: there is a session with this id, perhaps of somebody else. */
  createSession(session: Session<T>): Promise<'created' | 'exists'>
  /** False if `rev` is no longer the one that was read. `rev` rises by one. */
  changeSession(sid: SessionId, rev: number, change: SessionChange<T>): Promise<boolean>
  /** Sessions of a user that have rows and were not erased, the latest activity first; at a tie the higher sid first. */
  listSessions(uid: UserId, query: SessionPageQuery): Promise<Session<T>[]>

  /** The turn's session is there. Where both its place and its message are taken, `sent-before`. */
  insertTurn(turn: Turn<C, T>): Promise<Inserted>
  turn(sid: SessionId, seq: number): Promise<Turn<C, T> | undefined>
  turnByClientMessageId(authorId: UserId, cmid: ClientMessageId): Promise<Turn<C, T> | undefined>
  /** The turn that has this answer, be it the current one or a superseded one. */
  turnByAnswerId(sid: SessionId, answerId: AnswerId): Promise<Turn<C, T> | undefined>
  turns(sid: SessionId, query: TurnPageQuery): Promise<Turn<C, T>[]>
  totals(sid: SessionId): Promise<Totals>

  /**
   * Compare-and-set from the attempt that is known to the next one (R12). Undefined if it is not pending at that attempt.
   * Counts why the attempt before is over (R13): `fault` raises `faults`; `gone`, where the store of answers lost it, raises
   * `handbacks`, because it is neither a fault nor a crash; `fresh` raises neither.
   */
  beginAttempt(sid: SessionId, answerId: AnswerId, from: number, cause: BeginCause): Promise<Begun<C, T> | undefined>
  /** Compare-and-set on {pending}, or on {pending, attempt} if one is given. False if it had ended. */
  endAnswer(sid: SessionId, answerId: AnswerId, end: AnswerEnd<T>, attempt?: number): Promise<boolean>
  changePending(
    sid: SessionId,
    answerId: AnswerId,
    expected: Pick<Answer, 'n'>,
    change: PendingChange,
  ): Promise<boolean>
  /** Puts a new pending answer in the place of one that has ended, which is kept (R19). False unless `old` is there, ended, and its row was not erased. */
  supersede(sid: SessionId, seq: number, old: AnswerId, answer: Answer<T>): Promise<boolean>
  /** Turns of a partition that something may still have to follow from, for the sweeper: the oldest (`ts`, then sid, then seq) first. */
  unsettledOf(partition: number, limit: number, after?: TurnPlace): Promise<Turn<C, T>[]>
  /** Everything that follows from the turn is done. Changes nothing where its answer is pending, or is not the one that is given. */
  settle(sid: SessionId, seq: number, answerId?: AnswerId): Promise<void>
  /** Puts it in the place of what was there; without one, takes that away. False unless the answer is there, the current one, `done`, and its row was not erased. */
  rateAnswer(sid: SessionId, answerId: AnswerId, feedback: Feedback<T> | undefined): Promise<boolean>
  /** What the answers that this user's questions got since then have cost: those that ended at `since` or later, superseded ones too. */
  tokensSince(uid: UserId, since: number): Promise<number>

  /** The session that a link with this hash leads to, be it still good or not. */
  sessionByShare(hash: string): Promise<Session<T> | undefined>
  /** What an erasure has to go through. Sessions without rows are among them. */
  erasable(query: ErasableQuery): Promise<SessionId[]>
  /**
   * Puts an alias in the place of the user's id in what is left of the user's erased sessions, as owner and as author. The `cmid`s of the
   * user go: whoever comes back may send under one again, and be forgotten under the same alias again.
   */
  forgetUser(uid: UserId, alias: UserId): Promise<void>
  /**
   * Content and texts of a session's rows go, and names, preview and share in the session's own row, whose `rev` rises the first time. The rows
   * stay as stubs, with one more at the end (R22): `stub`, at the seq that is next then, unless the last row has its `event`
   * already. A stub has no `cmid` and no answer, feedback goes too, and of the marks `unsettled` only that of the last row stays, as it
   * is there or in `stub`. An answer that was pending ends as cancelled at the stub's `ts`, because nothing
   * is left to be answered. Harmless if repeated.
   */
  eraseTurns(sid: SessionId, stub: Turn<C, T>): Promise<void>
  ping(): Promise<void>
  close(): Promise<void>
}

/** A session's row as a database keeps it: with its data key, wrapped by a key of the ring (R28). */
export interface SealedSession extends Session<Uint8Array> {
  /** Zero bytes once it was erased; nothing of the session opens any more (R22). */
  readonly key: Uint8Array
  /** Which key of the ring has wrapped it; empty once it was erased. */
  readonly keyId: string
}

export interface SealedBegun {
  readonly turn: Turn<Uint8Array, Uint8Array>
  readonly session: SealedSession
}

/**
 * What a database adapter implements: `Conversations` of bytes that it can't read, and the wrapped key of each session.
 * The content of an erased row is zero bytes; its texts are absent.
 */
export interface SealedConversations
  extends Omit<
    Conversations<Uint8Array, Uint8Array>,
    'session' | 'createSession' | 'listSessions' | 'beginAttempt' | 'sessionByShare'
  > {
  session(sid: SessionId): Promise<SealedSession | undefined>
  createSession(session: SealedSession): Promise<'created' | 'exists'>
  listSessions(uid: UserId, query: SessionPageQuery): Promise<SealedSession[]>
  beginAttempt(sid: SessionId, answerId: AnswerId, from: number, cause: BeginCause): Promise<SealedBegun | undefined>
  sessionByShare(hash: string): Promise<SealedSession | undefined>
  /** Wrapped by another key of the ring: compare-and-set on the bytes that were read. Leaves `rev` alone. */
  changeKey(sid: SessionId, from: Uint8Array, to: Uint8Array, keyId: string): Promise<boolean>
  /** How many sessions are wrapped by each key of the ring. */
  keysInUse(): Promise<ReadonlyMap<string, number>>
  /** Sessions wrapped by this key, by rising sid. */
  keyedBy(keyId: string, limit: number, after?: SessionId): Promise<SessionId[]>
  /**
   * The same values, sealed anew: compare-and-set on the bytes of every value that was read, and on there being no other. Nothing but
   * values may differ. Leaves `rev` alone.
   */
  resealTurn(from: Turn<Uint8Array, Uint8Array>, to: Turn<Uint8Array, Uint8Array>): Promise<boolean>
  resealNames(sid: SessionId, from: SealedNames, to: SealedNames): Promise<boolean>
  /**
   * The first step of an erasure, before `eraseTurns` (R22): the key goes, and with it what it had sealed in this row, `nm`, `preview`
   * and `assistingAdminName`, and the share. `rev` rises, so that nobody who read the row before can put one back. Harmless if repeated.
   */
  eraseKey(sid: SessionId): Promise<void>
}

/** What is sealed in a session's row. */
export type SealedNames = Pick<SealedSession, 'nm' | 'preview' | 'assistingAdminName'>
