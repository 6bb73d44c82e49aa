import {
  answerId,
  type Conversations,
  clientMessageId,
  newAnswer,
  newSession,
  type Session,
  type SessionId,
  sessionId,
  type Turn,
  userId,
} from '@chatbox/core'

// One session with many turns and one user with many sessions. The rows that pages are made of are written by the product, sealed as any
// other. What lies between them are copies of such rows with ids and places of their own and random bytes in place of sealed ones: no
// database can tell the difference, and a million of them are there in a minute.

export const LONG_SESSION = sessionId('a-long-session')
export const LISTER = userId('somebody-with-many-sessions')
/** Of a page of messages, and of sessions, as they are asked for by default: one more than are shown. */
export const TURNS = 51
export const SESSIONS = 31

const BASE_TS = 1_700_000_000_000
const WRITTEN = 60
const MODEL = 'model'
const QUESTION = 'How do I get my money back for a ticket that I could not use?'
const ANSWER = 'You ask for it where you have bought it. '.repeat(10)

/** The rows from this one to the one before that: the first of all is number 0. */
export type Range = readonly [from: number, to: number]

/** Of `count` rows: the latest, those before the middle, and the oldest. */
export const writtenOf = (count: number): Range[] => [
  [0, WRITTEN],
  [middleOf(count) - WRITTEN, middleOf(count)],
  [count - WRITTEN, count],
]
/** What is between them. */
export const copiedOf = (count: number): Range[] => [
  [WRITTEN, middleOf(count) - WRITTEN],
  [middleOf(count), count - WRITTEN],
]

export const middleOf = (count: number): number => Math.floor(count / 2)
export const seqOf = (row: number): number => 2 * row + 1
export const activityOf = (row: number): number => BASE_TS + row
export const sidOf = (row: number): SessionId => sessionId(`session-${row}`)

const sessionRow = (of: Pick<Session, 'sid' | 'uid'> & Partial<Session>): Session => ({
  ...newSession(of.sid, of.uid, 0, MODEL, BASE_TS),
  ...of,
})

function turnRow(of: Pick<Turn, 'sid' | 'seq' | 'authorId'>, row: number, answered: boolean): Turn {
  const ts = activityOf(row)
  const id = answerId(`answer-${row}`)
  return {
    ...of,
    width: answered ? 2 : 1,
    partition: 0,
    author: 'user',
    cmid: clientMessageId(`message-${of.sid}-${row}`),
    kind: 'text',
    content: { text: QUESTION },
    ts,
    unsettled: false,
    superseded: [],
    ...(answered && {
      answer: {
        ...newAnswer(id, MODEL, ts, undefined),
        ...{ status: 'done', attempt: 1, endedAt: ts, text: ANSWER },
        usage: { inputTokens: 20, outputTokens: 100, estimated: false },
      },
    }),
  }
}

const rowsIn = (ranges: readonly Range[]): number[] =>
  ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i))

export async function writeRows(conversations: Conversations, count: number): Promise<void> {
  const owner = userId('somebody-who-talks-a-lot')
  await conversations.createSession(sessionRow({ sid: LONG_SESSION, uid: owner, msgCount: 2 * count }))
  const rows = rowsIn(writtenOf(count))
  await Promise.all(
    rows.map((row) =>
      conversations.insertTurn(turnRow({ sid: LONG_SESSION, seq: seqOf(row), authorId: owner }, row, true)),
    ),
  )
  await Promise.all(
    rows.map(async (row) => {
      const [sid, nm, preview] = [sidOf(row), 'A ticket that I could not use', QUESTION]
      const lastActivity = activityOf(row)
      await conversations.createSession(sessionRow({ sid, uid: LISTER, lastActivity, nm, preview, msgCount: 1 }))
      await conversations.insertTurn(turnRow({ sid, seq: 1, authorId: LISTER }, row, false))
    }),
  )
}
