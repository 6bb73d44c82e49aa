import { randomUUID } from 'node:crypto'
import type { HttpRequest, HttpResponse } from '@chatbox/edge'
import { errorResponse } from '@chatbox/edge'
import { signToken } from '@chatbox/runtime'

const TTL_MS = 12 * 3_600_000

/** Whoever sits at this machine; every browser on it shows the same conversations. */
const DEMO_USER = 'demo'

/**
 * Signs in whoever sits at this machine, and nobody else: only while it listens on loopback, and only for pages of its own. The content type makes a browser ask first
 * before a foreign page may send this, and it is never allowed; the origin and the fetch metadata are checked all the same.
 */
export function demoTokens(secret: string) {
  return async (request: HttpRequest): Promise<HttpResponse> => {
    const { origin, host = '', 'content-type': type, 'sec-fetch-site': site } = request.headers
    const foreign =
      (origin !== undefined && origin !== `http://${host}`) || (site !== undefined && site !== 'same-origin')
    if (request.method !== 'POST' || type?.split(';')[0] !== 'application/json' || foreign) {
      return errorResponse(403, 'forbidden', randomUUID())
    }
    const token = await signToken({ secret, userId: DEMO_USER, name: 'You', ttlMs: TTL_MS })
    return {
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
      body: JSON.stringify({ token, userId: DEMO_USER, expiresAt: Date.now() + TTL_MS }),
    }
  }
}
