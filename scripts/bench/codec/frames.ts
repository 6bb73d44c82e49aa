import type { ClientFrame, ServerFrame, SessionView } from '@chatbox/protocol'

const sid = 's_c0ffee4d1a5e4b0f9c3a7e21'
const answerId = 'a_71b3f0c2d94e4c58'
const clientMessageId = '0199e0c4-7b1e-7c3a-9f0d-3a5c1e7b9d42'
const requestId = 'r_5fd2a8c1'
const sentence = 'Could you tell me how the second plan differs from the first, and what moving over costs? '
const token = `${'eyJhbGciOiJIUzI1NiJ9'}.${'QxZ7mT0a'.repeat(32)}.${'k3Jv9Lp_'.repeat(5)}`

/** The frames to the server as clients send them, and messages of the greatest length. */
export const clientSamples: [name: string, frame: ClientFrame][] = [
  ['ping', { type: 'ping' }],
  ['ping, with a request id', { type: 'ping', requestId }],
  ['hello', { type: 'hello', token, deviceId: clientMessageId, resume: 'k3Jv9LpQ.m0aQxZ7m.1z4', client: 'web 0.1.0' }],
  ['message.send', { type: 'message.send', clientMessageId, sid, text: sentence.trim() }],
  [
    'message.send, files and metadata',
    {
      type: 'message.send',
      requestId,
      clientMessageId,
      sid,
      text: sentence.trim(),
      files: [
        {
          fileId: 'f_1',
          url: 'https://files.example.com/f_1',
          name: 'plan.pdf',
          mimeType: 'application/pdf',
          size: 81_920,
        },
        { fileId: 'f_2', name: 'Übersicht.png', mimeType: 'image/png' },
      ],
      modelId: 'demo',
      metadata: { page: '/pricing', campaign: 'autumn', locale: 'de-AT' },
    },
  ],
  ['message.send, 10 000 bytes', { type: 'message.send', clientMessageId, sid, text: filled(sentence) }],
  [
    'message.send, 10 000 in lines',
    { type: 'message.send', clientMessageId, sid, text: filled('const a = "b"\n\tlet c\n') },
  ],
  [
    'message.send, 10 000 in German',
    { type: 'message.send', clientMessageId, sid, text: filled('Wie läuft das für größere Häuser? ') },
  ],
  [
    'message.send, 10 000 in Japanese',
    { type: 'message.send', clientMessageId, sid, text: filled('料金の違いを教えてください。') },
  ],
  ['answer.cancel', { type: 'answer.cancel', requestId, sid, answerId }],
  ['answer.regenerate', { type: 'answer.regenerate', requestId, sid, seq: 41 }],
  ['session.model', { type: 'session.model', requestId, sid, modelId: 'demo' }],
  ['session.read', { type: 'session.read', sid, seq: 42 }],
  ['session.end', { type: 'session.end', requestId, sid }],
  ['help.request', { type: 'help.request', requestId, sid, text: sentence.trim() }],
  ['typing', { type: 'typing', sid, active: true }],
  ['auth.refresh', { type: 'auth.refresh', requestId, token }],
  ['session.watch', { type: 'session.watch', sid, resume: 'k3Jv9LpQ.m0aQxZ7m.1z4' }],
  ['session.unwatch', { type: 'session.unwatch', sid }],
  ['session.takeover', { type: 'session.takeover', requestId, sid }],
  ['session.heartbeat', { type: 'session.heartbeat', sid }],
  ['session.handback', { type: 'session.handback', requestId, sid, note: sentence.trim() }],
]

const ts = 1_760_000_000_000
const answer = { sid, seq: 42, answerId, attempt: 1 }
const session: SessionView = {
  id: sid,
  name: 'How the plans differ',
  modelId: 'demo',
  startedAt: ts,
  lastActivity: ts,
  messageCount: 42,
  totalTokens: 9_120,
  totalCost: 4_310,
  readSeq: 40,
  unreadCount: 2,
  preview: sentence.trim().slice(0, 120),
  helpRequested: false,
  rev: 57,
}

/** The frames to the client, without the position that the edge puts in front. */
export const serverSamples: [name: string, frame: ServerFrame][] = [
  [
    'ready',
    {
      type: 'ready',
      protocol: 1,
      connectionId: 'c_19f3',
      userId: 'u_4711',
      at: 'k3Jv9LpQ.m0aQxZ7m.1z4',
      recovered: true,
      models: [{ id: 'demo', label: 'Demo', default: true }],
      limits: {
        text: 10_000,
        metadataValue: 1_000,
        fileId: 255,
        url: 2_048,
        modelId: 100,
        sessionId: 128,
        frame: 65_536,
      },
      pingMs: 25_000,
      expiresAt: ts,
    },
  ],
  [
    'message',
    {
      type: 'message',
      sid,
      seq: 41,
      ts,
      author: 'user',
      kind: 'text',
      text: sentence.trim(),
      clientMessageId,
      answer: { answerId, seq: 42, status: 'pending', modelId: 'demo' },
    },
  ],
  [
    'message, 10 000 bytes',
    { type: 'message', sid, seq: 41, ts, author: 'user', kind: 'text', text: filled(sentence), clientMessageId },
  ],
  ['answer.started', { type: 'answer.started', ...answer, modelId: 'demo' }],
  ['answer.delta', { type: 'answer.delta', ...answer, index: 17, text: ' the second plan adds' }],
  ['answer.snapshot', { type: 'answer.snapshot', ...answer, next: 18, text: sentence.repeat(20) }],
  [
    'answer.snapshot, in Japanese',
    { type: 'answer.snapshot', ...answer, next: 18, text: '料金の違いを教えてください。'.repeat(50) },
  ],
  ['answer.reset', { type: 'answer.reset', ...answer, attempt: 2 }],
  [
    'answer.done',
    {
      type: 'answer.done',
      ...answer,
      status: 'done',
      ts,
      length: 1_840,
      hash: '9f86d081884c7d659a2feaa0c55ad015',
      usage: { inputTokens: 812, outputTokens: 401, estimated: false },
    },
  ],
  ['session.updated', { type: 'session.updated', sid, rev: 57, session }],
  ['typing', { type: 'typing', sid, author: 'user', active: true }],
  ['notice', { type: 'notice', code: 'connection_limit', message: 'Too many devices are connected.', sid }],
  ['reconnect', { type: 'reconnect', afterMs: 1_250, reason: 'restart' }],
  [
    'error',
    {
      type: 'error',
      code: 'busy',
      message: 'Too many messages wait for an answer.',
      retryable: true,
      requestId,
      clientMessageId,
    },
  ],
  ['pong', { type: 'pong', ts }],
]

/** What somebody may send to cost more than it should, each close to the greatest frame. */
export const hostileSamples: [name: string, text: string][] = [
  ['metadata of 7 000 entries', `{"type":"message.send","clientMessageId":"c","metadata":{${numbered(7_000)}}}`],
  ['20 000 files that are numbers', `{"type":"message.send","clientMessageId":"c","files":[${'1,'.repeat(20_000)}1]}`],
  ['7 000 unknown fields', `{"type":"ping",${numbered(7_000)}}`],
  ['nesting of 30 000', `{"type":"ping","x":${'['.repeat(30_000)}${']'.repeat(30_000)}}`],
  ['text of 60 000 bytes', `{"type":"message.send","clientMessageId":"c","text":"${'x'.repeat(60_000)}"}`],
  ['text of 60 000 bytes in Japanese', `{"type":"message.send","clientMessageId":"c","text":"${'料'.repeat(20_000)}"}`],
]

/** As often as it fits into the greatest text. */
function filled(text: string): string {
  return text.repeat(Math.floor(10_000 / Buffer.byteLength(text))).trim()
}

function numbered(count: number): string {
  return Array.from({ length: count }, (_, i) => `"${i}":1`).join(',')
}
