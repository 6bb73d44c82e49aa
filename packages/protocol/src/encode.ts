import type { ClientFrame } from './client-frames.ts'
import { type ErrorCode, errorCodes } from './errors.ts'
import type { ServerFrame, ServerFrameOf } from './server-frames.ts'
import type { ErrorView } from './views.ts'

/**
 * A frame of ours as the bytes that travel. Ours are typed, so nothing is validated on the way out.
 * Small ones share a block of memory with others: mind `byteOffset` where you reach for `buffer`.
 */
export const encodeFrame = (frame: ServerFrame | ClientFrame): Uint8Array => Buffer.from(JSON.stringify(frame), 'utf8')

/**
 * Writes `at` (and `of`, for watchers) in front of a frame that is already bytes, so that one opened frame serves every
 * socket of a user without being parsed (R26). The frame must not have the field: the last of two would count.
 */
export function withPosition(frame: Uint8Array, at: string): Uint8Array {
  return prefixed(`{"at":${JSON.stringify(at)},`, frame)
}

export function withOwner(frame: Uint8Array, of: string): Uint8Array {
  return prefixed(`{"of":${JSON.stringify(of)},`, frame)
}

function prefixed(prefix: string, frame: Uint8Array): Uint8Array {
  const length = Buffer.byteLength(prefix, 'utf8')
  const out = Buffer.allocUnsafe(length + frame.length - 1)
  // The frame's own `{` falls under the comma that is written after it.
  out.set(frame, length - 1)
  out.write(prefix, 0, 'utf8')
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
