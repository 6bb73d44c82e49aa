import { randomId } from '@chatbox/core'
import { type ErrorBody, type ErrorCode, errorViewOf } from '@chatbox/protocol'
import { admission } from './admission.ts'
import type { EdgeContext } from './deps.ts'
import { originPolicy } from './origins.ts'
import type { Strangers } from './strangers.ts'
import type { HttpResponse } from './transport/http.ts'
import type { Handshake } from './transport/listen.ts'

export type Admission =
  | { readonly admitted: true; readonly headerToken: string | undefined }
  /** To be told over a socket when to come back: a page sees nothing of a refused handshake. */
  | { readonly admitted: 'later'; readonly afterMs: number }
  | { readonly admitted: false; readonly response: HttpResponse }

/**
 * What is checked before there is a socket: where the request comes from, that no token stands in its address, and whether there is room.
 * At once, so that no handshake waits in memory for anything.
 */
export function upgrade(
  edge: EdgeContext,
  strangers: Strangers,
  /** Why nobody can come in at the moment. */
  closed: () => 'draining' | 'unready' | undefined,
): (handshake: Handshake) => Admission {
  const { metrics, offenders, log } = edge
  const allows = originPolicy(edge.origins)
  const enter = admission(edge.handshakesPerSecond)

  function refuse(status: number, code: ErrorCode, outcome: string, headers: Record<string, string> = {}): Admission {
    const requestId = randomId()
    metrics.handshakes.inc({ outcome })
    log.info({ outcome, requestId }, 'a handshake was refused')
    return { admitted: false, response: errorResponse(status, code, requestId, headers) }
  }

  return ({ origin, host, authorization, query, address }) => {
    const why = closed()
    if (why) return refuse(503, 'unavailable', why, { 'retry-after': '1' })
    if (hasToken(query)) return refuse(400, 'unauthorized', 'token_in_url')
    const headerToken = bearerOf(authorization)
    if (!allows({ origin, host, hasAuthorization: headerToken !== undefined })) {
      // Whoever set this up sees here what the page's own console can't say.
      log.warn({ hasOrigin: origin !== undefined }, ADVICE)
      return refuse(403, 'forbidden', 'origin')
    }
    const waitMs = offenders.waitMs(address)
    if (waitMs > 0) return refuse(429, 'rate_limited', 'rate_limited', retryAfter(waitMs))
    if (strangers.full(address)) return refuse(429, 'rate_limited', 'too_many_strangers', { 'retry-after': '1' })
    const entered = enter(origin === undefined)
    if (entered.kind === 'told') {
      metrics.handshakes.inc({ outcome: 'told_later' })
      return { admitted: 'later', afterMs: entered.afterMs }
    }
    if (entered.kind === 'refused') return refuse(503, 'overloaded', 'crowded', retryAfter(entered.afterMs))
    metrics.handshakes.inc({ outcome: 'accepted' })
    return { admitted: true, headerToken }
  }
}

const retryAfter = (ms: number) => ({ 'retry-after': `${Math.ceil(ms / 1_000)}` })

const TOKEN_NAMES = new Set(['token', 'access_token', 'jwt'])

const ADVICE = 'a page or program elsewhere asked for a socket; if it is yours, list its origin in WS_ALLOWED_ORIGINS'

/** Addresses are written to logs and histories along the way (security 3). */
const hasToken = (query: string): boolean =>
  [...new URLSearchParams(query).keys()].some((name) => TOKEN_NAMES.has(name.toLowerCase()))

function bearerOf(authorization: string | undefined): string | undefined {
  const [scheme, token] = authorization?.split(' ') ?? []
  return scheme?.toLowerCase() === 'bearer' && token ? token : undefined
}

export function errorResponse(
  status: number,
  code: ErrorCode,
  requestId: string,
  headers: Record<string, string> = {},
): HttpResponse {
  const body: ErrorBody = { error: { ...errorViewOf(code), requestId } }
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
    body: JSON.stringify(body),
  }
}
