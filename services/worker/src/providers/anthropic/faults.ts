import { APIError } from '@anthropic-ai/sdk'
import type { ProviderFault } from '../../provider.ts'
import { faultOfStatus, quoted } from '../upstream/faults.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** What the SDK threw instead of giving a response: a fault where a status came with it, else as it is. */
export function faultOfSdk(error: unknown, upstream: Upstream): unknown {
  if (!(error instanceof APIError) || error.status === undefined) return error
  const detail = quoted(error.apiMessage ?? error.message, upstream)
  return faultOfStatus(error.status, error.headers ?? new Headers(), detail)
}

/** The status that the vendor would have given an error before the stream began; inside of it there is the type alone. */
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

export const faultOfEvent = (
  error: { readonly type: string; readonly message: string },
  upstream: Upstream,
): ProviderFault => faultOfStatus(STATUSES[error.type] ?? 500, new Headers(), quoted(error.message, upstream))
