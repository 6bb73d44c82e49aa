import { createHash } from 'node:crypto'
import type { AnswerView, ServerFrameOf, SessionView, SpokenView } from '@chatbox/protocol'

const ids = { sid: 's1', seq: 2, answerId: 'a1' }

export const accepted = (
  send: { clientMessageId: string; text?: string | undefined },
  fields: Partial<ServerFrameOf<'message'>> = {},
): ServerFrameOf<'message'> => ({
  type: 'message',
  at: 'p1',
  ...spoken(),
  text: send.text ?? '',
  clientMessageId: send.clientMessageId,
  ...fields,
})

export const spoken = (fields: Partial<SpokenView> = {}): SpokenView => ({
  sid: 's1',
  seq: 1,
  ts: 1,
  author: 'user',
  kind: 'text',
  text: 'hi',
  ...fields,
})

export const refusal = (
  code: ServerFrameOf<'error'>['code'],
  retryable: boolean,
  fields: Partial<ServerFrameOf<'error'>> = {},
): ServerFrameOf<'error'> => ({ type: 'error', code, message: 'no', retryable, requestId: 'r1', ...fields })

export const delta = (index: number, text: string, attempt = 1): ServerFrameOf<'answer.delta'> => ({
  type: 'answer.delta',
  ...ids,
  attempt,
  index,
  text,
})

export const snapshot = (next: number, text: string, attempt = 1): ServerFrameOf<'answer.snapshot'> => ({
  type: 'answer.snapshot',
  ...ids,
  attempt,
  next,
  text,
})

export const started = (attempt = 1): ServerFrameOf<'answer.started'> => ({
  type: 'answer.started',
  ...ids,
  attempt,
  modelId: 'demo',
})

export const reset = (attempt: number): ServerFrameOf<'answer.reset'> => ({ type: 'answer.reset', ...ids, attempt })

export const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32)

export const done = (
  stored: string,
  fields: Partial<ServerFrameOf<'answer.done'>> = {},
): ServerFrameOf<'answer.done'> => ({
  type: 'answer.done',
  ...ids,
  attempt: 1,
  status: 'done',
  ts: 1,
  length: Buffer.byteLength(stored),
  hash: hashOf(stored),
  ...fields,
})

export const storedAnswer = (text: string, fields: Partial<AnswerView> = {}): AnswerView => ({
  ...ids,
  ts: 1,
  author: 'assistant',
  kind: 'text',
  text,
  status: 'done',
  modelId: 'demo',
  ...fields,
})

export const session = (fields: Partial<SessionView> = {}): SessionView => ({
  id: 's1',
  modelId: 'demo',
  startedAt: 1,
  lastActivity: 1,
  messageCount: 1,
  totalTokens: 0,
  totalCost: 0,
  readSeq: 0,
  unreadCount: 1,
  helpRequested: false,
  rev: 1,
  ...fields,
})

export const updated = (fields: Partial<SessionView> = {}): ServerFrameOf<'session.updated'> => {
  const view = session(fields)
  return { type: 'session.updated', sid: view.id, rev: view.rev, session: view }
}
