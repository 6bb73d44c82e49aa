import { ProviderFault } from '../../provider.ts'
import type { Upstream } from './upstream.ts'

/** Statuses that another try may help with (L2). 529: Anthropic's own for overload. */
const RETRYABLE = new Set([408, 409, 429, 500, 502, 503, 504, 529])
const OVERLOADED = new Set([429, 503, 529])

/** What an answer's status says. `detail` is the vendor's text, `quoted`, for the log only (X4). */
export function faultOfStatus(status: number, headers: Headers, detail: string): ProviderFault {
  const retryable = wishOf(headers) ?? (RETRYABLE.has(status) || status > 504)
  const retryAfterMs = retryAfterOf(headers)
  const code = OVERLOADED.has(status) ? 'provider_overloaded' : rejects(status) ? 'provider_rejected' : 'provider_error'
  return new ProviderFault(code, `the provider answered ${status}: ${detail.slice(0, MOST_DETAIL)}`, {
    retryable,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

/** OpenAI and Anthropic know best whether another try could help, and sometimes say so. */
function wishOf(headers: Headers): boolean | undefined {
  const wish = headers.get('x-should-retry')
  return wish === 'true' ? true : wish === 'false' ? false : undefined
}

/** The request itself is what the vendor minds; wrong keys and unknown models are ours to mend, not the user's. */
const rejects = (status: number): boolean => status === 400 || status === 413 || status === 422

/** Of a text that others wrote, as much as a log line bears. */
const MOST_DETAIL = 500

/** A vendor's own text, as the log may have it: servers quote the key that they refuse. */
export function quoted(detail: string, { apiKey }: Pick<Upstream, 'apiKey'>): string {
  const safe = apiKey === '' ? detail : detail.replaceAll(apiKey, '[key]')
  return safe.slice(0, MOST_DETAIL)
}

/** `Retry-After` in seconds or as a date; `retry-after-ms`, which OpenAI sends beside it, is finer. */
function retryAfterOf(headers: Headers): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN)
  if (ms >= 0) return ms
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const seconds = Number(value)
  if (seconds >= 0) return seconds * 1000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}

/** What happened on the way: no connection, a broken one, an unreadable stream. An abort is passed on as it is. */
export function faultOfTransport(error: unknown, signal: AbortSignal): unknown {
  const fault = faultIn(error)
  if (fault) return fault
  if (signal.aborted) return signal.reason
  return new ProviderFault('provider_error', 'the connection to the provider failed', { retryable: true, cause: error })
}

/** A fault of ours beneath what fetch, or an SDK, made of it: what the guard has refused says so itself. */
export function faultIn(error: unknown): ProviderFault | undefined {
  if (error instanceof ProviderFault) return error
  if (error instanceof AggregateError) return error.errors.map(faultIn).find((fault) => fault !== undefined)
  return error instanceof Error && error.cause !== undefined ? faultIn(error.cause) : undefined
}
