import { z } from 'zod'
import { type ClientFrame, clientFrames } from './client-frames.ts'
import type { ErrorCode } from './errors.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { textOf } from './utf8.ts'

/** Why a frame was refused. Holds nothing of what it said (M1), but the ids that let the sender match the answer. */
export interface Fault {
  readonly code: Extract<ErrorCode, 'invalid_json' | 'invalid_frame' | 'unknown_type' | 'too_large'>
  readonly message: string
  /** Path of the field, such as `files.0.url`; absent where the frame itself is at fault. */
  readonly field?: string
  readonly requestId?: string
  readonly clientMessageId?: string
}

export type Decoded = { readonly ok: true; readonly frame: ClientFrame } | { readonly ok: false; readonly fault: Fault }

export type ClientDecoder = (bytes: Uint8Array) => Decoded

/** Bytes of a text frame → a valid, sanitised frame, or why not. Never throws. Make it once: the schemas are compiled. */
export function clientDecoder(limits: Limits = defaultLimits): ClientDecoder {
  const schemas = new Map<string, z.ZodType<ClientFrame>>()
  for (const [type, schema] of Object.entries(clientFrames(limits))) schemas.set(type, z.compile(schema))

  return (bytes) => {
    if (bytes.byteLength > limits.frame) {
      return refuse({ code: 'too_large', message: `is larger than ${limits.frame} bytes` })
    }
    const value = parseObject(bytes)
    if (!value) return refuse({ code: 'invalid_json', message: 'is not a JSON object' })

    const type = value.type
    if (typeof type !== 'string') {
      return refuse({ code: 'invalid_frame', field: 'type', message: 'is not a string', ...idsOf(value) })
    }
    const schema = schemas.get(type)
    if (!schema) return refuse({ code: 'unknown_type', field: 'type', message: 'is not known', ...idsOf(value) })

    const parsed = schema.safeParse(value)
    return parsed.success
      ? { ok: true, frame: parsed.data }
      : refuse({ code: 'invalid_frame', ...describe(parsed.error), ...idsOf(value) })
  }
}

const refuse = (fault: Fault): Decoded => ({ ok: false, fault })

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(textOf(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const ECHOED_ID = /^[A-Za-z0-9_.:-]{1,64}$/

/** An invalid frame may still say which request it was; only harmless ids are repeated. */
function idsOf(value: Record<string, unknown>): Pick<Fault, 'requestId' | 'clientMessageId'> {
  const own = (key: string): string | undefined => {
    const id = Object.hasOwn(value, key) ? value[key] : undefined
    return typeof id === 'string' && ECHOED_ID.test(id) ? id : undefined
  }
  const requestId = own('requestId')
  const clientMessageId = own('clientMessageId')
  return { ...(requestId && { requestId }), ...(clientMessageId && { clientMessageId }) }
}

/** The first thing wrong, without the value. */
function describe(error: z.ZodError): { field?: string; message: string } {
  const issue = error.issues[0]
  if (!issue) return { message: 'is not valid' }
  const field = fieldOf(issue.path)
  return { ...(field && { field }), message: messageOf(issue) }
}

/** The path as far as the schemas name it. The keys of `metadata` are the sender's text, and are not repeated. */
const fieldOf = (path: readonly PropertyKey[]): string =>
  path[0] === 'metadata' ? 'metadata' : path.map(String).join('.')

function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    // Their names are the sender's text too.
    case 'unrecognized_keys':
      return 'has a field that is not known'
    case 'invalid_type':
      return `should be of type ${issue.expected}`
    case 'custom':
      return issue.message
    case 'too_big':
      return 'is over its limit'
    case 'too_small':
      return 'is empty or too small'
    default:
      return 'is not valid'
  }
}
