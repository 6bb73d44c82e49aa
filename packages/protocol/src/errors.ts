/** Every code that an `error` frame, a REST error or `answer.done.error` may carry. */
export const errorCodes = {
  invalid_json: { retryable: false, message: 'This is not a JSON object.' },
  invalid_frame: { retryable: false, message: 'A field is missing, unknown or not allowed.' },
  unknown_type: { retryable: false, message: 'There is no frame of this type.' },
  too_large: { retryable: false, message: 'This is too large.' },
  unauthorized: { retryable: false, message: 'Please sign in.' },
  token_expired: { retryable: false, message: 'Your sign-in has expired.' },
  forbidden: { retryable: false, message: 'You may not do this.' },
  not_found: { retryable: false, message: 'There is no such thing here.' },
  conflict: { retryable: false, message: 'This does not fit with what happened before.' },
  session_ended: { retryable: false, message: 'This conversation has ended.' },
  busy: { retryable: true, message: 'Too many messages wait for an answer in this conversation.' },
  rate_limited: { retryable: true, message: 'That was too fast. Please wait a moment.' },
  overloaded: { retryable: true, message: 'We are very busy. Nothing was taken; please try again.' },
  expired: { retryable: true, message: 'This took too long and was not done. Please try again.' },
  unavailable: { retryable: true, message: 'We could not confirm this. It is safe to try again.' },
  budget_exceeded: { retryable: false, message: 'Your budget is used up.' },
  connection_limit: { retryable: false, message: 'You have too many open connections.' },
  disabled: { retryable: false, message: 'This account is disabled.' },
  not_supported: { retryable: false, message: 'This server does not serve that.' },
  internal: { retryable: true, message: 'Something went wrong on our side.' },
  provider_timeout: { retryable: true, message: 'The model did not answer in time.' },
  provider_error: { retryable: true, message: 'The model failed to answer.' },
  provider_overloaded: { retryable: true, message: 'The model has no capacity at the moment.' },
  provider_rejected: { retryable: false, message: 'The model refused this request.' },
  answer_lost: { retryable: true, message: 'The answer could not be finished.' },
  queue_timeout: { retryable: true, message: 'Nobody was free to answer in time.' },
} as const satisfies Record<string, { retryable: boolean; message: string }>

export type ErrorCode = keyof typeof errorCodes

export const errorCodeList = Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code)
