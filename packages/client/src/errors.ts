import type { ErrorCode, ServerFrameOf } from '@chatbox/protocol'
import type { ChatErrorShape, LocalCode } from './api.ts'

/** What a sending, a REST call or the `error` event reports. */
export class ChatError extends Error implements ChatErrorShape {
  override readonly name = 'ChatError'
  readonly code: ChatErrorShape['code']
  readonly retryable: boolean
  declare readonly requestId?: string
  declare readonly sid?: string
  declare readonly field?: string
  declare readonly retryAfterMs?: number

  constructor(shape: ChatErrorShape | ServerFrameOf<'error'>, options?: ErrorOptions) {
    super(shape.message, options)
    this.code = shape.code
    this.retryable = shape.retryable
    if (shape.requestId !== undefined) this.requestId = shape.requestId
    if (shape.sid !== undefined) this.sid = shape.sid
    if (shape.field !== undefined) this.field = shape.field
    if (shape.retryAfterMs !== undefined) this.retryAfterMs = shape.retryAfterMs
  }
}

/** An error that arose here; `cause` is what lies behind it, if anything. */
export const localError = (
  code: ErrorCode | LocalCode,
  message: string,
  retryable: boolean,
  cause?: unknown,
): ChatError => new ChatError({ code, message, retryable }, cause === undefined ? undefined : { cause })

/** The app could not give a token: what it threw may be final if it says so itself, otherwise it is worth another try. */
export const tokenError = (cause: unknown): ChatError =>
  cause instanceof ChatError ? cause : localError('unauthorized', 'No token could be had.', true, cause)
