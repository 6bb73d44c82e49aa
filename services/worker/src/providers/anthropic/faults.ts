import { APIConnectionError, APIError, APIUserAbortError } from '@anthropic-ai/sdk'
import { faultOfStatus, faultOfTransport } from '../upstream/faults.ts'

/** The status that an error has when it comes before the stream; inside it there is only the type. */
const STATUSES: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

/** What the SDK threw, in our terms. An abort is passed on as it is. */
export function faultOfAnthropic(error: unknown, apiKey: string, signal: AbortSignal): unknown {
  if (error instanceof APIError && !(error instanceof APIConnectionError || error instanceof APIUserAbortError)) {
    const status = error.status ?? STATUSES[error.type ?? ''] ?? 500
    // A gateway may repeat in its errors what it was sent.
    const said = error.apiMessage ?? error.message
    const detail = apiKey === '' ? said : said.replaceAll(apiKey, '(the key)')
    return faultOfStatus(status, error.headers ?? new Headers(), detail)
  }
  return faultOfTransport(error, signal)
}
