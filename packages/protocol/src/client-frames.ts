import { z } from 'zod'
import { defaultLimits, type Limits, MAX_POSITION_LENGTH } from './limits.ts'
import { name, text } from './text.ts'

const ID = /^[A-Za-z0-9_.:-]{1,64}$/
const METADATA_KEY = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/

const id = z.string().regex(ID)
const requestId = id.optional()
const seq = z.number().int().positive().max(Number.MAX_SAFE_INTEGER)
const token = z.string().min(1).max(4_096)
// Of any form: what is no position of ours is answered with `recovered: false`, and is no reason to close.
const resume = z.string().max(MAX_POSITION_LENGTH).optional()

function metadataOf(limits: Limits) {
  // Looked at before the entries are: zod leaves `__proto__` out without a word, and would list every fault of 10 000 entries.
  const few = z.custom<Record<string, string>>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      !Object.hasOwn(value, '__proto__') &&
      Object.keys(value).length <= limits.metadataEntries,
    { error: `is not an object of at most ${limits.metadataEntries} strings` },
  )
  const entries = z.record(z.string().regex(METADATA_KEY), text(limits.metadataValue))
  return few.pipe(entries.meta({ maxProperties: limits.metadataEntries }))
}

/** The frames a client may send, with these limits. Unknown fields are refused (security 11). */
export function clientFrames(limits: Limits = defaultLimits) {
  // Ids that the server made: letters, digits and a few marks, so that nothing else ever reaches a key or a query.
  const sid = z
    .string()
    .min(1)
    .max(limits.sessionId)
    .regex(/^[A-Za-z0-9_-]+$/)
  const answerId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
  const modelId = name(limits.modelId)
  const file = z.strictObject({
    fileId: name(limits.fileId),
    url: text(limits.url).optional(),
    name: text(255).optional(),
    mimeType: text(127).optional(),
    size: z.number().int().nonnegative().optional(),
  })
  const frame = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
    z.strictObject({ type: z.literal(type), requestId, ...shape })

  return {
    hello: frame('hello', {
      token: token.optional(),
      deviceId: id,
      resume,
      client: text(64).optional(),
    }),
    'message.send': frame('message.send', {
      clientMessageId: id,
      sid: sid.optional(),
      text: text(limits.text).optional(),
      files: z.array(file).min(1).max(limits.files).optional(),
      modelId: modelId.optional(),
      metadata: metadataOf(limits).optional(),
    })
      .refine((message) => Boolean(message.text || message.files), { path: ['text'], error: 'is empty' })
      .meta({ anyOf: [{ required: ['text'] }, { required: ['files'] }] }),
    'answer.cancel': frame('answer.cancel', { sid, answerId }),
    'answer.regenerate': z.strictObject({
      type: z.literal('answer.regenerate'),
      requestId: id,
      sid,
      seq,
      modelId: modelId.optional(),
    }),
    'session.model': frame('session.model', { sid, modelId }),
    'session.read': frame('session.read', { sid, seq }),
    'session.end': frame('session.end', { sid }),
    'help.request': frame('help.request', { sid, text: text(limits.text).optional() }),
    typing: frame('typing', { sid, active: z.boolean() }),
    'auth.refresh': frame('auth.refresh', { token }),
    ping: frame('ping', {}),
    'session.watch': frame('session.watch', { sid, resume }),
    'session.unwatch': frame('session.unwatch', { sid }),
    'session.takeover': frame('session.takeover', { sid }),
    'session.heartbeat': frame('session.heartbeat', { sid }),
    'session.handback': frame('session.handback', { sid, note: text(1_000).optional() }),
  } as const
}

type Schemas = ReturnType<typeof clientFrames>

export type ClientFrameType = keyof Schemas
export type ClientFrameOf<T extends ClientFrameType> = z.infer<Schemas[T]>
export type ClientFrame = { [T in ClientFrameType]: ClientFrameOf<T> }[ClientFrameType]
