import { randomBytes } from 'node:crypto'
import type {
  Answer,
  AnswerEnd,
  Conversations,
  Feedback,
  SealedConversations,
  SealedSession,
  Session,
  SessionChange,
  Turn,
} from '@chatbox/core'

/** How a suite says a text in the adapter's own values, and reads it back. */
export interface Values<V> {
  of(text: string): V
  /** Of what an erased row holds: the empty string. */
  read(value: V): string
}

export interface ConversationsStore<C, T> {
  readonly conversations: Conversations<C, T>
  readonly content: Values<C>
  readonly text: Values<T>
  close(): Promise<void>
}

/** Called once for a suite, which tells its tests apart by ids and partitions of their own. */
export type BuildConversations<C, T> = () => Promise<ConversationsStore<C, T>>

export type Texts = Conversations<string, string>
export type TextTurn = Turn<string, string>
export type TextAnswer = Answer<string>

/** Values of an adapter that holds bytes: those of the text, for it can't tell them from sealed ones. */
export const byteValues: Values<Uint8Array> = {
  of: (text) => new Uint8Array(Buffer.from(text, 'utf8')),
  read: (value) => Buffer.from(value).toString('utf8'),
}

/** A database adapter as the services see it, behind a decorator that seals nothing: it makes keys, and forgets them first (R22). */
export function withKeys(sealed: SealedConversations): Conversations<Uint8Array, Uint8Array> {
  const keyless = ({ key: _, keyId: __, ...session }: SealedSession): Session<Uint8Array> => session
  return {
    ...sealed,
    async session(sid) {
      const session = await sealed.session(sid)
      return session && keyless(session)
    },
    createSession: (session) => sealed.createSession({ ...session, key: randomBytes(48), keyId: 'k-1' }),
    listSessions: async (uid, query) => (await sealed.listSessions(uid, query)).map(keyless),
    async beginAttempt(sid, answerId, from, cause) {
      const begun = await sealed.beginAttempt(sid, answerId, from, cause)
      return begun && { turn: begun.turn, session: keyless(begun.session) }
    },
    async sessionByShare(hash) {
      const session = await sealed.sessionByShare(hash)
      return session && keyless(session)
    },
    async eraseTurns(sid, stub) {
      await sealed.eraseKey(sid)
      await sealed.eraseTurns(sid, stub)
    },
  }
}

/** Any adapter as one of strings, so that the suite and its model compare plain values. */
export function inTexts<C, T>({ conversations, content, text }: ConversationsStore<C, T>): Texts {
  const turnIn = (turn: TextTurn) => mapTurn(turn, content.of, text.of)
  const turnOut = (turn: Turn<C, T>) => mapTurn(turn, content.read, text.read)
  const maybeOut = (turn: Turn<C, T> | undefined) => turn && turnOut(turn)
  const sessionOut = (session: Session<T>) => mapNames<Session<T>, T, string, Session>(session, text.read)
  return {
    ...conversations,
    async session(sid) {
      const session = await conversations.session(sid)
      return session && sessionOut(session)
    },
    createSession: (session) => conversations.createSession(mapNames<Session, string, T, Session<T>>(session, text.of)),
    changeSession: (sid, rev, change) =>
      conversations.changeSession(sid, rev, mapNames<SessionChange, string, T, SessionChange<T>>(change, text.of)),
    listSessions: async (uid, query) => (await conversations.listSessions(uid, query)).map(sessionOut),
    insertTurn: (turn) => conversations.insertTurn(turnIn(turn)),
    turn: async (sid, seq) => maybeOut(await conversations.turn(sid, seq)),
    turnByClientMessageId: async (author, cmid) => maybeOut(await conversations.turnByClientMessageId(author, cmid)),
    turnByAnswerId: async (sid, answer) => maybeOut(await conversations.turnByAnswerId(sid, answer)),
    turns: async (sid, query) => (await conversations.turns(sid, query)).map(turnOut),
    async beginAttempt(sid, answer, from, cause) {
      const begun = await conversations.beginAttempt(sid, answer, from, cause)
      return begun && { turn: turnOut(begun.turn), session: sessionOut(begun.session) }
    },
    endAnswer: (sid, answer, end: AnswerEnd, attempt) =>
      conversations.endAnswer(sid, answer, mapEnd(end, text.of), attempt),
    supersede: (sid, seq, old, answer) => conversations.supersede(sid, seq, old, mapAnswer(answer, text.of)),
    rateAnswer: (sid, answer, feedback) =>
      conversations.rateAnswer(sid, answer, feedback && mapFeedback(feedback, text.of)),
    unsettledOf: async (partition, limit, after) =>
      (await conversations.unsettledOf(partition, limit, after)).map(turnOut),
    async sessionByShare(hash) {
      const session = await conversations.sessionByShare(hash)
      return session && sessionOut(session)
    },
    eraseTurns: (sid, stub) => conversations.eraseTurns(sid, turnIn(stub)),
  }
}

function mapTurn<C, T, D, U>(turn: Turn<C, T>, content: (c: C) => D, text: (t: T) => U): Turn<D, U> {
  const { answer, superseded, ...rest } = turn
  return {
    ...rest,
    content: content(turn.content),
    superseded: superseded.map((old) => mapAnswer(old, text)),
    ...(answer && { answer: mapAnswer(answer, text) }),
  }
}

function mapAnswer<T, U>(answer: Answer<T>, map: (text: T) => U): Answer<U> {
  const { text, thread, feedback, ...rest } = answer
  return {
    ...rest,
    ...(text !== undefined && { text: map(text) }),
    ...(thread !== undefined && { thread: map(thread) }),
    ...(feedback && { feedback: mapFeedback(feedback, map) }),
  }
}

function mapEnd<T, U>({ text, thread, ...rest }: AnswerEnd<T>, map: (text: T) => U): AnswerEnd<U> {
  return { ...rest, text: map(text), ...(thread !== undefined && { thread: map(thread) }) }
}

function mapFeedback<T, U>({ comment, ...rest }: Feedback<T>, map: (text: T) => U): Feedback<U> {
  return { ...rest, ...(comment !== undefined && { comment: map(comment) }) }
}

interface Names<T> {
  readonly nm?: T | null
  readonly preview?: T | null
  readonly assistingAdminName?: T | null
}

/** `Out` is `In` with other names. */
function mapNames<In extends Names<T>, T, U, Out extends Names<U>>(row: In, map: (text: T) => U): Out {
  const { nm, preview, assistingAdminName, ...rest } = row
  const mapped = (name: T | null): U | null => (name === null ? null : map(name))
  const names = {
    ...(nm !== undefined && { nm: mapped(nm) }),
    ...(preview !== undefined && { preview: mapped(preview) }),
    ...(assistingAdminName !== undefined && { assistingAdminName: mapped(assistingAdminName) }),
  }
  return { ...rest, ...names } as unknown as Out
}
