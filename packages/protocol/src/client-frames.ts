import { z } from 'zod'
import { defaultLimits, type Limits, MAX_POSITION_LENGTH } from './limits.ts'

const ID = /^[A-Za-z0-9_.:-]{1,64}$/
const METADATA_KEY = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/

const byteLength = (text: string): number => Buffer.byteLength(text, 'utf8')

/** No character takes more than 3 bytes of UTF-8 per unit of UTF-16, so short strings need no counting. */
const bytes = (limit: number) =>
  z.string().refine((text) => text.length * 3 <= limit || byteLength(text) <= limit, {
    error: `is longer than ${limit} bytes`,
  })

const id = z.string().regex(ID)
const requestId = id.optional()
const seq = z.number().int().positive().max(Number.MAX_SAFE_INTEGER)

/** The frames a client may send, with these limits. Unknown fields are refused (security 11). */
export function clientFrames(limits: Limits = defaultLimits) {
  // Ids that the server made: letters, digits and a few marks, so that nothing else ever reaches a key or a query.
  const sid = z
    .string()
    .min(1)
    .max(limits.sessionId)
    .regex(/^[A-Za-z0-9_-]+$/)
  const answerId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
  const modelId = bytes(limits.modelId).min(1)
  const file = z.strictObject({
    fileId: bytes(limits.fileId).min(1),
    url: bytes(limits.url).optional(),
    name: bytes(255).optional(),
    mimeType: z.string().max(127).optional(),
    size: z.number().int().nonnegative().optional(),
  })
  const metadata = z
    .record(z.string().regex(METADATA_KEY), bytes(limits.metadataValue))
    .refine((entries) => Object.keys(entries).length <= limits.metadataEntries, {
      error: `has more than ${limits.metadataEntries} entries`,
    })
  const frame = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
    z.strictObject({ type: z.literal(type), requestId, ...shape })

  return {
    hello: frame('hello', {
      token: z.string().min(1).max(4_096).optional(),
      deviceId: id,
      resume: z.string().max(MAX_POSITION_LENGTH).optional(),
      client: z.string().max(64).optional(),
    }),
    'message.send': frame('message.send', {
      clientMessageId: id,
      sid: sid.optional(),
      text: bytes(limits.text).optional(),
      files: z.array(file).min(1).max(limits.files).optional(),
      modelId: modelId.optional(),
      metadata: metadata.optional(),
    }),
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
    'help.request': frame('help.request', { sid, text: bytes(limits.text).optional() }),
    typing: frame('typing', { sid, active: z.boolean() }),
    'auth.refresh': frame('auth.refresh', { token: z.string().min(1).max(4_096) }),
    ping: frame('ping', {}),
    'session.watch': frame('session.watch', { sid, resume: z.string().max(MAX_POSITION_LENGTH).optional() }),
    'session.unwatch': frame('session.unwatch', { sid }),
    'session.takeover': frame('session.takeover', { sid }),
    'session.heartbeat': frame('session.heartbeat', { sid }),
    'session.handback': frame('session.handback', { sid, note: bytes(1_000).optional() }),
  } as const
}

type Schemas = ReturnType<typeof clientFrames>

export type ClientFrameType = keyof Schemas
export type ClientFrameOf<T extends ClientFrameType> = z.infer<Schemas[T]>
export type ClientFrame = { [T in ClientFrameType]: ClientFrameOf<T> }[ClientFrameType]
