import { Refusal, Unavailable } from '@chatbox/core'
import { type ErrorBody, type ErrorCode, errorViewOf } from '@chatbox/protocol'

const STATUS: Partial<Record<ErrorCode, number>> = {
  invalid_json: 400,
  invalid_frame: 400,
  too_large: 413,
  unauthorized: 401,
  token_expired: 401,
  forbidden: 403,
  disabled: 403,
  not_found: 404,
  conflict: 409,
  session_ended: 409,
  rate_limited: 429,
  overloaded: 503,
  expired: 503,
  unavailable: 503,
  not_supported: 501,
}

export const statusOf = (code: ErrorCode, field?: string): number =>
  field === CONTENT_TYPE ? 415 : (STATUS[code] ?? 500)

/** Names the header in what is refused because of its type, or of its charset. */
export const CONTENT_TYPE = 'content-type'

/** An error of the framework: a code of its own, and a status. */
export type Thrown = Error & { readonly code?: unknown; readonly statusCode?: unknown }

/** What may be told of an error; the rest is in the log under the request's id (X4). */
export function refusalOf(error: Thrown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof Unavailable) return new Refusal('unavailable', { cause: error })
  if (error.statusCode === 413) return new Refusal('too_large', { cause: error })
  if (error.statusCode === 415) return new Refusal('invalid_frame', { cause: error, field: CONTENT_TYPE })
  if (error.statusCode === 400 && error.code === 'FST_ERR_CTP_INVALID_JSON_BODY')
    return new Refusal('invalid_json', { cause: error })
  if (typeof error.statusCode === 'number' && error.statusCode < 500)
    return new Refusal('invalid_frame', { cause: error })
  return new Refusal('internal', { cause: error })
}

export const errorBodyOf = (code: ErrorCode, requestId: string, field?: string): ErrorBody => ({
  error: { ...errorViewOf(code), requestId, ...(field !== undefined && { field }) },
})
