import { type ErrorCode, errorCodes } from '@chatbox/protocol'

/** A fault that may be told to a user: a code, and the safe sentence that belongs to it (X4). Details are for the log. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly retryAfterMs?: number
  readonly field?: string

  constructor(code: ErrorCode, details: { cause?: unknown; retryAfterMs?: number; field?: string } = {}) {
    super(errorCodes[code].message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.retryable = errorCodes[code].retryable
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
    if (details.field !== undefined) this.field = details.field
  }
}

/** The store can't be reached, or did not answer: whether it did what was asked is not known. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

/** A sealed value that does not open: edited, moved, or sealed with a key that is not in the ring (X5). Never shown. */
export class Unopenable extends Error {
  override readonly name = 'Unopenable'
}
