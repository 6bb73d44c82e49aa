import type { ErrorBody, ErrorCode } from '@chatbox/protocol'
import { ChatError, localError } from './errors.ts'
import type { Tokens } from './tokens.ts'

export interface RestOptions {
  readonly base: URL
  readonly tokens: Tokens
  readonly fetch: typeof globalThis.fetch
  readonly timeoutMs: number
}

export type Query = Readonly<Record<string, string | number | undefined>>

export interface Rest {
  /** The body as the server sent it; rejects with a `ChatError` only. */
  get<T>(path: readonly string[], query?: Query): Promise<T>
}

const UNAUTHORIZED = 401

export function createRest(options: RestOptions): Rest {
  const request = async (url: URL, bearer: string): Promise<Response> => {
    try {
      return await options.fetch(url, {
        headers: { authorization: `Bearer ${bearer}`, accept: 'application/json' },
        credentials: 'omit',
        cache: 'no-store',
        signal: AbortSignal.timeout(options.timeoutMs),
      })
    } catch (error) {
      throw localError('unavailable', 'The server could not be reached.', true, error)
    }
  }
  return {
    async get<T>(path: readonly string[], query: Query = {}): Promise<T> {
      const url = new URL(options.base)
      url.pathname += path.map((part) => `/${encodeURIComponent(part)}`).join('')
      for (const [key, value] of Object.entries(query))
        if (value !== undefined) url.searchParams.set(key, String(value))

      const first = await options.tokens.current()
      let response = await request(url, first)
      if (response.status === UNAUTHORIZED) {
        response = await request(url, await options.tokens.renew(first))
      }
      const body = await bodyOf(response)
      if (!response.ok) throw refusal(response, body)
      if (body === undefined) throw localError('internal', 'The server gave an answer that makes no sense.', true)
      return body as T
    },
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch {
    return undefined
  }
}

function refusal(response: Response, body: unknown): ChatError {
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  const after = Number.isFinite(retryAfter) ? { retryAfterMs: retryAfter * 1_000 } : {}
  if (isErrorBody(body)) {
    const { field, ...error } = body.error
    return new ChatError({ ...error, ...(field !== undefined && { field }), ...after })
  }
  // A proxy in between has its own way of saying no.
  const { status } = response
  const message = `The server refused with status ${status}.`
  return new ChatError({ code: codeOf(status), message, retryable: status === 429 || status >= 500, ...after })
}

const isErrorBody = (body: unknown): body is ErrorBody =>
  typeof body === 'object' &&
  body !== null &&
  'error' in body &&
  typeof body.error === 'object' &&
  body.error !== null &&
  'code' in body.error &&
  'message' in body.error

function codeOf(status: number): ErrorCode {
  if (status === UNAUTHORIZED) return 'unauthorized'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not_found'
  if (status === 429) return 'rate_limited'
  return status >= 500 ? 'unavailable' : 'internal'
}
