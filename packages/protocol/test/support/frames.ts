import type { ClientFrameOf, ClientFrameType, ServerFrameOf, ServerFrameType, SessionView } from '../../src/index.ts'

const sid = 's_7Fq2'

/** The least that each frame to the server may be. */
export const leastClient: { [T in ClientFrameType]: ClientFrameOf<T> } = {
  hello: { type: 'hello', deviceId: 'd1' },
  'message.send': { type: 'message.send', clientMessageId: 'c1', text: 'Hello' },
  'answer.cancel': { type: 'answer.cancel', sid, answerId: 'a1' },
  'answer.regenerate': { type: 'answer.regenerate', requestId: 'r1', sid, seq: 1 },
  'session.model': { type: 'session.model', sid, modelId: 'demo' },
  'session.read': { type: 'session.read', sid, seq: 2 },
  'session.end': { type: 'session.end', sid },
  'help.request': { type: 'help.request', sid },
  typing: { type: 'typing', sid, active: true },
  'auth.refresh': { type: 'auth.refresh', token: 'a.b.c' },
  ping: { type: 'ping' },
  'session.watch': { type: 'session.watch', sid },
  'session.unwatch': { type: 'session.unwatch', sid },
  'session.takeover': { type: 'session.takeover', sid },
  'session.heartbeat': { type: 'session.heartbeat', sid },
  'session.handback': { type: 'session.handback', sid },
}

/** Each frame to the server with every field it may have. */
export const fullClient: { [T in ClientFrameType]: Required<ClientFrameOf<T>> } = {
  hello: { ...leastClient.hello, requestId: 'r1', token: 'a.b.c', deviceId: 'd1', resume: 'l.r.1z', client: 'web 0.1' },
  'message.send': {
    type: 'message.send',
    requestId: 'r1',
    clientMessageId: 'c1',
    sid,
    text: 'Hello\tthere\nfriend',
    files: [
      { fileId: 'f1' },
      { fileId: 'f2', url: 'https://files.example/f2', name: 'två.png', mimeType: 'image/png', size: 0 },
    ],
    modelId: 'demo',
    metadata: { page: '/pricing', 'a.b-c_D9': '' },
  },
  'answer.cancel': { ...leastClient['answer.cancel'], requestId: 'r1' },
  'answer.regenerate': { ...leastClient['answer.regenerate'], modelId: 'demo' },
  'session.model': { ...leastClient['session.model'], requestId: 'r1' },
  'session.read': { ...leastClient['session.read'], requestId: 'r1' },
  'session.end': { ...leastClient['session.end'], requestId: 'r1' },
  'help.request': { ...leastClient['help.request'], requestId: 'r1', text: 'Please' },
  typing: { ...leastClient.typing, requestId: 'r1', active: false },
  'auth.refresh': { ...leastClient['auth.refresh'], requestId: 'r1' },
  ping: { type: 'ping', requestId: 'r1' },
  'session.watch': { ...leastClient['session.watch'], requestId: 'r1', resume: 'l.r.1z' },
  'session.unwatch': { ...leastClient['session.unwatch'], requestId: 'r1' },
  'session.takeover': { ...leastClient['session.takeover'], requestId: 'r1' },
  'session.heartbeat': { ...leastClient['session.heartbeat'], requestId: 'r1' },
  'session.handback': { ...leastClient['session.handback'], requestId: 'r1', note: 'Solved' },
}

const session: SessionView = {
  id: sid,
  modelId: 'demo',
  startedAt: 1_760_000_000_000,
  lastActivity: 1_760_000_000_000,
  messageCount: 2,
  totalTokens: 40,
  totalCost: 12,
  readSeq: 2,
  unreadCount: 0,
  preview: 'Hello there friend',
  helpRequested: false,
  rev: 3,
}
const answer = { sid, seq: 2, answerId: 'a1', attempt: 1 }

/** One frame of each type to the client. */
export const someServer: { [T in ServerFrameType]: ServerFrameOf<T> } = {
  ready: {
    type: 'ready',
    protocol: 1,
    connectionId: 'c1',
    userId: 'u1',
    at: 'l.r.1z',
    recovered: true,
    models: [{ id: 'demo', label: 'Demo', default: true }],
    limits: { text: 10_000 },
    pingMs: 20_000,
    expiresAt: 1_760_000_000_000,
  },
  message: { type: 'message', sid, seq: 1, ts: 1_760_000_000_000, author: 'user', kind: 'text', text: 'Hello' },
  'answer.started': { type: 'answer.started', ...answer, modelId: 'demo' },
  'answer.delta': { type: 'answer.delta', ...answer, index: 0, text: 'Hi' },
  'answer.snapshot': { type: 'answer.snapshot', ...answer, next: 1, text: 'Hi' },
  'answer.reset': { type: 'answer.reset', ...answer },
  'answer.feedback': {
    type: 'answer.feedback',
    sid: answer.sid,
    seq: answer.seq,
    answerId: answer.answerId,
    feedback: { rating: 'up', ts: 1 },
  },
  'answer.done': {
    type: 'answer.done',
    ...answer,
    status: 'done',
    ts: 1_760_000_000_000,
    length: 2,
    hash: '3639efcd08abb273b1619e82e78c29a7',
  },
  'session.updated': { type: 'session.updated', sid, rev: 3, session },
  typing: { type: 'typing', sid, author: 'user', active: true },
  notice: { type: 'notice', code: 'shutdown', message: 'Back in a moment.' },
  reconnect: { type: 'reconnect', afterMs: 500, reason: 'restart' },
  error: { type: 'error', code: 'busy', message: 'Wait.', retryable: true, requestId: 'r1' },
  pong: { type: 'pong', ts: 1_760_000_000_000 },
}
