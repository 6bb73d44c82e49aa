import { Refusal } from '@chatbox/core'
import type { Identity } from '@chatbox/runtime'
import type { FastifyRequest } from 'fastify'
import type { StorageDeps } from '../deps.ts'

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity
  }
}

/** Every route needs a good token, and counts against the user's budget of calls (X6). */
export function authenticate({ verify, fabric, log }: StorageDeps) {
  return async (request: FastifyRequest): Promise<void> => {
    const [scheme, token] = request.headers.authorization?.split(' ') ?? []
    if (scheme?.toLowerCase() !== 'bearer' || !token) throw new Refusal('unauthorized')
    request.identity = await verify.verify(token)
    const consumed = await fabric.limiter.consume('rest', request.identity.userId)
    if (consumed.allowed) return
    log.warn({ requestId: request.id, bucket: 'rest' }, 'a rate limit was reached')
    throw new Refusal('rate_limited', { retryAfterMs: consumed.retryAfterMs })
  }
}
