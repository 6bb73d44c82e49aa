import type { z } from 'zod'
import { type ClientFrame, clientFrames } from './client-frames.ts'
import type { ErrorCode } from './errors.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { sanitise } from './sanitise.ts'

/** Why a frame was refused. Holds nothing of what it said (M1), but the ids that let the sender match the answer. */
export interface Fault {
  readonly code: Extract<ErrorCode, 'invalid_json' | 'invalid_frame' | 'unknown_type' | 'too_large'>
  readonly message: string
  /** Path of the field, such as `files.0.url`. */
  readonly field?: string
  readonly requestId?: string
  readonly clientMessageId?: string
}

export type Decoded = { readonly ok: true; readonly frame: ClientFrame } | { readonly ok: false; readonly fault: Fault }

export type ClientDecoder = (bytes: Uint8Array) => Decoded

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Bytes of a text frame → a valid, sanitised frame, or why not. Never throws. */
export function clientDecoder(limits: Limits = defaultLimits): ClientDecoder {
  const schemas = new Map<string, z.ZodType<ClientFrame>>(Object.entries(clientFrames(limits)))

  return (bytes) => {
    if (bytes.byteLength > limits.frame) {
      return refuse({ code: 'too_large', message: `is larger than ${limits.frame} bytes` })
    }
    const value = parseObject(bytes)
    if (!value) return refuse({ code: 'invalid_json', message: 'is not a JSON object' })

    const ids = idsOf(value)
    const type = value.type
    if (typeof type !== 'string') {
      return refuse({ code: 'invalid_frame', field: 'type', message: 'is not a string', ...ids })
    }
    const schema = schemas.get(type)
    if (!schema) return refuse({ code: 'unknown_type', field: 'type', message: 'is not known', ...ids })

    const parsed = schema.safeParse(value)
    if (!parsed.success) return refuse({ code: 'invalid_frame', ...describe(parsed.error), ...ids })

    const frame = sanitised(parsed.data)
    if (frame.type === 'message.send' && !frame.text && !frame.files) {
      return refuse({ code: 'invalid_frame', field: 'text', message: 'is empty', ...ids })
    }
    return { ok: true, frame }
  }
}

const refuse = (fault: Fault): Decoded => ({ ok: false, fault })

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
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

/** The first thing wrong, without the value. Names of unknown fields are the sender's text, so they are not repeated. */
function describe(error: z.ZodError): { field: string; message: string } {
  const issue = error.issues[0]
  if (!issue) return { field: '', message: 'is not valid' }
  const field = issue.path.map(String).filter(isHarmless).join('.')
  switch (issue.code) {
    case 'unrecognized_keys':
      return { field: field || 'type', message: 'has a field that is not known' }
    case 'invalid_type':
      return { field, message: `should be of type ${issue.expected}` }
    case 'custom':
      return { field, message: issue.message }
    default:
      return { field, message: 'is not valid' }
  }
}

const isHarmless = (part: string): boolean => /^[A-Za-z0-9]{1,32}$/.test(part)

/** Free text and names; ids have been held to their alphabets by the schemas. */
function sanitised(frame: ClientFrame): ClientFrame {
  switch (frame.type) {
    case 'message.send':
      return {
        ...frame,
        ...(frame.text !== undefined && { text: sanitise(frame.text) }),
        ...(frame.files && { files: frame.files.map(sanitisedValues) }),
        ...(frame.metadata && { metadata: sanitisedValues(frame.metadata) }),
        ...(frame.modelId !== undefined && { modelId: sanitise(frame.modelId) }),
      }
    case 'help.request':
      return frame.text === undefined ? frame : { ...frame, text: sanitise(frame.text) }
    case 'session.handback':
      return frame.note === undefined ? frame : { ...frame, note: sanitise(frame.note) }
    case 'hello':
      return frame.client === undefined ? frame : { ...frame, client: sanitise(frame.client) }
    case 'session.model':
      return { ...frame, modelId: sanitise(frame.modelId) }
    case 'answer.regenerate':
      return frame.modelId === undefined ? frame : { ...frame, modelId: sanitise(frame.modelId) }
    default:
      return frame
  }
}

function sanitisedValues<T extends object>(object: T): T {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, typeof value === 'string' ? sanitise(value) : value]),
  ) as T
}
