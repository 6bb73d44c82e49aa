import {
  type Answer,
  type AnswerEnd,
  answerId,
  clientMessageId,
  newAnswer,
  newSession,
  type Session,
  type SessionId,
  sessionId,
  type Turn,
  userId,
} from '@chatbox/core'

export const anna = userId('anna')
export const sid = sessionId('session-1')
export const other = sessionId('session-2')
export const SECRET = 'canary: what a person said'
export const PARTITION = 5

export const session = (id: SessionId = sid): Session => ({
  ...newSession(id, anna, PARTITION, 'model-1', 1_000),
  nm: `${SECRET}, as a name`,
  msgCount: 1,
})

export const pendingAnswer = (id: string): Answer => newAnswer(answerId(id), 'model-1', 1_000, undefined)

export const turn = (seq: number, of: Partial<Turn> = {}): Turn => ({
  sid,
  seq,
  width: 2,
  partition: PARTITION,
  author: 'user',
  authorId: anna,
  cmid: clientMessageId(`message-${of.sid ?? sid}-${seq}`),
  kind: 'text',
  content: {
    text: `${SECRET} at ${seq}`,
    files: [{ fileId: 'file-1', name: `${SECRET}.pdf` }],
    metadata: { key: SECRET },
    name: SECRET,
  },
  ts: 1_000,
  unsettled: true,
  answer: pendingAnswer(`answer-${of.sid ?? sid}-${seq}`),
  superseded: [],
  ...of,
})

export const end = (text = `${SECRET}, said the model`): AnswerEnd => ({
  status: 'done',
  text,
  thread: `${SECRET}, as a thread`,
  usage: { inputTokens: 1, outputTokens: 2, estimated: false },
  endedAt: 2_000,
})

export function stub(seq: number): Turn {
  const { answer: _answer, cmid: _cmid, ...rest } = turn(seq)
  return { ...rest, width: 1, author: 'system', kind: 'system', event: 'erased', unsettled: false }
}
