import { randomUUID } from 'node:crypto'
import {
  type AnswerEnd,
  answerId,
  type ClientMessageId,
  clientMessageId,
  type Feedback,
  type Session,
  type SessionId,
  sessionId,
  type UserId,
  userId,
} from '@chatbox/core'
import type { TextAnswer, Texts, TextTurn } from './store.ts'

const unique = (): string => randomUUID().slice(0, 18)

// What a user id may be: an address, with signs that mean something to a query language.
export const someUid = (): UserId => userId(`{$x}.${unique()}@example.org`)
export const someSid = (): SessionId => sessionId(`s-${unique()}`)
export const someAnswerId = () => answerId(`a-${unique()}`)
export const someCmid = (): ClientMessageId => clientMessageId(`c-${unique()}`)

// Above those that rows are given by number.
let partitions = 1_000
/** One that no other test of the suite uses. */
export const somePartition = (): number => {
  partitions += 1
  return partitions
}

export const someSession = (of: Partial<Session> = {}): Session => ({
  sid: someSid(),
  uid: someUid(),
  partition: 0,
  modelId: 'model-1',
  ts: 1_700_000_000_000,
  lastActivity: 1_700_000_000_000,
  adminAssisted: false,
  helpRequested: false,
  totalTokens: 0,
  totalCost: 0,
  msgCount: 0,
  rts: [],
  ownerEpoch: 0,
  readSeq: 0,
  erased: false,
  rev: 0,
  ...of,
})

export const someAnswer = (of: Partial<TextAnswer> = {}): TextAnswer => ({
  answerId: someAnswerId(),
  status: 'pending',
  attempt: 0,
  faults: 0,
  handbacks: 0,
  n: 0,
  modelId: 'model-1',
  askedAt: 1_700_000_000_001,
  ...of,
})

type Placed = Pick<TextTurn, 'sid' | 'seq'>

/** A line that nobody answers. */
export const someLine = (of: Placed & Partial<TextTurn>): TextTurn => ({
  width: 1,
  partition: 0,
  author: 'user',
  authorId: userId('somebody'),
  kind: 'text',
  content: `line ${of.seq}`,
  ts: 1_700_000_000_001,
  unsettled: true,
  superseded: [],
  ...of,
})

export type Question = TextTurn & { readonly answer: TextAnswer }

export const someQuestion = (of: Placed & Partial<TextTurn>): Question => ({
  ...someLine(of),
  width: 2,
  answer: of.answer ?? someAnswer(),
})

export const someEnd = (of: Partial<AnswerEnd> = {}): AnswerEnd => ({
  status: 'done',
  text: 'the answer',
  usage: { inputTokens: 30, outputTokens: 12, estimated: false, cost: 70 },
  endedAt: 1_700_000_001_000,
  ...of,
})

/** The line that the erasure of a session leaves at its end. */
export const someStub = (of: Placed & Partial<TextTurn>): TextTurn =>
  someLine({ author: 'system', kind: 'system', event: 'erased', content: '', unsettled: false, ...of })

export const someFeedback = (of: Partial<Feedback> = {}): Feedback => ({
  rating: 'up',
  comment: 'Das hat geholfen 🌱',
  ts: 1_700_000_002_000,
  ...of,
})

export async function created(conversations: Texts, of: Partial<Session> = {}): Promise<Session> {
  const session = someSession(of)
  await conversations.createSession(session)
  return session
}

/** A session with one question in it, whose answer is pending. */
export async function asked(conversations: Texts, answer: Partial<TextAnswer> = {}, of: Partial<Session> = {}) {
  const session = await created(conversations, of)
  const { sid, partition } = session
  const question = someQuestion({ sid, seq: 1, partition, answer: someAnswer(answer) })
  await conversations.insertTurn(question)
  return { session, sid, question, answerId: question.answer.answerId }
}

/** The same, with the answer ended as done. */
export async function answered(conversations: Texts, end: Partial<AnswerEnd> = {}, of: Partial<Session> = {}) {
  const { question, ...rest } = await asked(conversations, {}, of)
  const ended = someEnd(end)
  await conversations.endAnswer(rest.sid, rest.answerId, ended)
  return { ...rest, turn: { ...question, answer: { ...question.answer, ...ended } } }
}

/** What `count` callers at once get, each by its number. */
export const atOnce = <R>(count: number, call: (i: number) => Promise<R>): Promise<R[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => call(i)))

const MANY = 1_000

/** Page after page until one is short. A store whose pages never end is at fault, and must not hold the suite for ever. */
export async function allPages<R>(limit: number, read: (last: R | undefined) => Promise<R[]>): Promise<R[]> {
  const rows: R[] = []
  while (rows.length < MANY) {
    const page = await read(rows.at(-1))
    rows.push(...page)
    if (page.length < limit) return rows
  }
  throw new Error('the pages do not end')
}
