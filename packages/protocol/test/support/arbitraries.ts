import fc from 'fast-check'
import {
  answerNotices,
  type ClientFrame,
  type ErrorCode,
  errorCodeList,
  noticeCodes,
  type ServerFrame,
  type ServerFrameType,
  sanitise,
} from '../../src/index.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-'
const word = (alphabet: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength })

const id = word(`${ALPHABET}.:`, 64)
const sid = word(ALPHABET, 128)
const answerId = word(ALPHABET, 64)
const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const text = fc.string({ unit: 'binary', maxLength: 120 })

/** Text as it is after sanitising, of at most so many bytes. */
const kept = (bytes: number) => text.map(sanitise).filter((value) => Buffer.byteLength(value) <= bytes)
const keptName = (bytes: number) => kept(bytes).filter((value) => value.length > 0)

/** An object with all of the first fields and any of the second. */
const some = <A extends object, B extends object>(
  needed: { [K in keyof A]: fc.Arbitrary<A[K]> },
  optional: { [K in keyof B]: fc.Arbitrary<B[K]> },
) =>
  fc
    .tuple(fc.record(needed), fc.record(optional, { requiredKeys: [] }))
    .map(([first, second]) => ({ ...first, ...second }) as A & Partial<B>)

const type = <T extends string>(name: T) => fc.constant(name)
const requestId = { requestId: id }

const file = some(
  { fileId: keptName(255) },
  { url: kept(2_048), name: kept(255), mimeType: kept(127), size: fc.maxSafeNat() },
)
const files = fc.array(file, { minLength: 1, maxLength: 10 })
const metadata = fc.dictionary(
  fc
    .tuple(fc.constantFrom(...ALPHABET.slice(0, 52)), word(`${ALPHABET}.`, 20))
    .map(([first, rest]) => first + rest)
    .filter((key) => key !== '__proto__'),
  kept(1_000),
  { maxKeys: 16, noNullPrototype: true },
)
const modelId = keptName(100)
const token = fc.string({ minLength: 1, maxLength: 200 })
const resume = fc.string({ maxLength: 200 })

const send = some(
  { type: type('message.send'), clientMessageId: id },
  { ...requestId, sid, text: kept(10_000), files, modelId, metadata },
).filter((frame) => Boolean(frame.text || frame.files))

const withSid = <T extends ClientFrame['type']>(name: T) => some({ type: type(name), sid }, requestId)

/** Frames that a client may send, already as they are once sanitised. */
export const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  some({ type: type('hello'), deviceId: id }, { ...requestId, token, resume, client: kept(64) }),
  { arbitrary: send, weight: 5 },
  some({ type: type('answer.cancel'), sid, answerId }, requestId),
  some({ type: type('answer.regenerate'), ...requestId, sid, seq }, { modelId }),
  some({ type: type('session.model'), sid, modelId }, requestId),
  some({ type: type('session.read'), sid, seq }, requestId),
  withSid('session.end'),
  some({ type: type('help.request'), sid }, { ...requestId, text: kept(10_000) }),
  some({ type: type('typing'), sid, active: fc.boolean() }, requestId),
  some({ type: type('auth.refresh'), token }, requestId),
  some({ type: type('ping') }, requestId),
  some({ type: type('session.watch'), sid }, { ...requestId, resume }),
  withSid('session.unwatch'),
  withSid('session.takeover'),
  withSid('session.heartbeat'),
  some({ type: type('session.handback'), sid }, { ...requestId, note: kept(1_000) }),
)

const code: fc.Arbitrary<ErrorCode> = fc.constantFrom(...errorCodeList)
const time = fc.nat({ max: 4_000_000_000_000 })
const count = fc.maxSafeNat()
const of = text
const error = fc.record({ code, message: text, retryable: fc.boolean() })
const usage = some({ inputTokens: count, outputTokens: count, estimated: fc.boolean() }, { cost: count })
const answer = { sid, seq, answerId, attempt: fc.integer({ min: 1, max: 50 }) }
const session = some(
  {
    id: sid,
    modelId,
    startedAt: time,
    lastActivity: time,
    messageCount: count,
    totalTokens: count,
    totalCost: count,
    readSeq: count,
    unreadCount: count,
    helpRequested: fc.boolean(),
    rev: count,
  },
  { name: text, endedAt: time, assistedBy: text, preview: text, sharedUntil: time, erased: fc.boolean() },
)
const answerRef = fc.record({
  answerId,
  seq,
  status: fc.constantFrom('pending', 'done', 'failed', 'cancelled'),
  modelId,
})
const model = fc.record({ id: modelId, label: text, default: fc.boolean() })

/** Frames to the client, as services build them: without the `at` that the edge puts in front. */
export const serverFrameOf = {
  ready: some(
    {
      type: type('ready'),
      protocol: fc.constant(1 as const),
      connectionId: id,
      userId: text,
      at: fc.string({ maxLength: 200 }),
      recovered: fc.boolean(),
      models: fc.array(model, { maxLength: 3 }),
      limits: fc
        .dictionary(id, fc.nat(), { noNullPrototype: true })
        .filter((names) => !Object.hasOwn(names, '__proto__')),
      pingMs: fc.integer({ min: 1, max: 100_000 }),
      expiresAt: time,
    },
    { reloadAfterMs: fc.nat() },
  ),
  message: some(
    {
      type: type('message'),
      sid,
      seq,
      ts: time,
      author: fc.constantFrom('user', 'admin', 'system'),
      kind: fc.constantFrom('text', 'file', 'voice', 'help', 'system'),
      text,
    },
    { of, files, metadata, clientMessageId: id, name: text, event: id, answer: answerRef },
  ),
  'answer.started': some({ type: type('answer.started'), ...answer, modelId }, { of }),
  'answer.delta': some({ type: type('answer.delta'), ...answer, index: fc.nat(), text }, { of }),
  'answer.snapshot': some({ type: type('answer.snapshot'), ...answer, next: fc.nat(), text }, { of }),
  'answer.reset': some({ type: type('answer.reset'), ...answer }, { of }),
  'answer.done': some(
    {
      type: type('answer.done'),
      ...answer,
      attempt: fc.nat({ max: 50 }),
      status: fc.constantFrom('done', 'failed', 'cancelled'),
      ts: time,
      length: count,
      hash: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 }),
    },
    { of, usage, error, notices: fc.uniqueArray(fc.constantFrom(...answerNotices), { minLength: 1 }) },
  ),
  'answer.feedback': some(
    { type: type('answer.feedback'), sid, seq, answerId },
    {
      of,
      feedback: some({ rating: fc.constantFrom('up', 'down'), ts: time }, { comment: text }),
    },
  ),
  'session.updated': some({ type: type('session.updated'), sid, rev: count, session }, { of }),
  typing: some(
    { type: type('typing'), sid, author: fc.constantFrom('user', 'admin'), active: fc.boolean() },
    { of, name: text },
  ),
  notice: some({ type: type('notice'), code: fc.constantFrom(...noticeCodes), message: text }, { sid }),
  reconnect: fc.record({ type: type('reconnect'), afterMs: fc.nat(), reason: text }),
  error: some(
    { type: type('error'), code, message: text, retryable: fc.boolean(), ...requestId },
    { clientMessageId: id, sid, field: text, retryAfterMs: fc.nat() },
  ),
  pong: some({ type: type('pong'), ts: time }, requestId),
} satisfies { [T in ServerFrameType]: fc.Arbitrary<Extract<ServerFrame, { type: T }>> }

export const serverFrame: fc.Arbitrary<ServerFrame> = fc.oneof(...Object.values(serverFrameOf))
