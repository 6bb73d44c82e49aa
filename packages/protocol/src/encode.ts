import type { ClientFrame } from './client-frames.ts'
import { type ErrorCode, errorCodes } from './errors.ts'
import type { ServerFrame, ServerFrameOf } from './server-frames.ts'
import type { ErrorView } from './views.ts'

const utf8 = new TextEncoder()

/** A frame of ours as the bytes that travel. Ours are typed, so nothing is validated on the way out. */
export const encodeFrame = (frame: ServerFrame | ClientFrame): Uint8Array => utf8.encode(JSON.stringify(frame))

const AT = utf8.encode('{"at":')
const OF = utf8.encode('{"of":')
const COMMA = 0x2c

/**
 * Writes `at` (and `of`, for watchers) in front of a frame that is already bytes, so that one opened frame serves every
 * socket of a user without being parsed (R26).
 */
export function withPosition(frame: Uint8Array, at: string): Uint8Array {
  return prefixed(AT, at, frame)
}

export function withOwner(frame: Uint8Array, of: string): Uint8Array {
  return prefixed(OF, of, frame)
}

function prefixed(open: Uint8Array, value: string, frame: Uint8Array): Uint8Array {
  const text = utf8.encode(JSON.stringify(value))
  const out = new Uint8Array(open.length + text.length + frame.length)
  out.set(open, 0)
  out.set(text, open.length)
  out[open.length + text.length] = COMMA
  // The frame's own `{` gives way to the comma.
  out.set(frame.subarray(1), open.length + text.length + 1)
  return out
}

export const errorViewOf = (code: ErrorCode): ErrorView => ({ code, ...errorCodes[code] })

export type ErrorDetails = Partial<
  Pick<ServerFrameOf<'error'>, 'clientMessageId' | 'sid' | 'field' | 'retryAfterMs' | 'message'>
>

export const errorFrameOf = (
  code: ErrorCode,
  requestId: string,
  details: ErrorDetails = {},
): ServerFrameOf<'error'> => ({
  type: 'error',
  ...errorViewOf(code),
  requestId,
  ...details,
})
