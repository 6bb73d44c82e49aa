import { type Consumed, Refusal } from '@chatbox/core'
import { type AddressOf, type Identity, networkOf } from '@chatbox/runtime'
import type { FastifyRequest } from 'fastify'
import type { StorageDeps } from '../deps.ts'
import type { DisabledUsers } from './disabled.ts'

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity
    /** What of its time a request has used up before it was looked at: asking who it is, and whether they may. */
    spentMs: number
  }
}

type Bucket = 'rest' | 'shared'

/** Who asks, and whether they may now: everything needs a good token and counts against its user, unless the table says otherwise (X6). */
export function authenticate(
  { verify, fabric, log }: Pick<StorageDeps, 'verify' | 'fabric' | 'log'>,
  disabled: DisabledUsers,
  addressOf: AddressOf,
) {
  async function spend(request: FastifyRequest, bucket: Bucket, key: string): Promise<void> {
    const consumed: Consumed = await fabric.limiter.consume(bucket, key)
    if (consumed.allowed) return
    log.warn({ requestId: request.id, bucket }, 'a rate limit was reached')
    throw new Refusal('rate_limited', { retryAfterMs: consumed.retryAfterMs })
  }

  async function judge(request: FastifyRequest): Promise<void> {
    if (request.routeOptions.config.line?.access === 'anybody') {
      return spend(request, 'shared', networkOf(clientOf(request, addressOf)))
    }
    const [scheme, token] = request.headers.authorization?.split(' ') ?? []
    if (scheme?.toLowerCase() !== 'bearer' || !token) throw new Refusal('unauthorized')
    const identity = await verify.verify(token)
    if (!disabled.known) throw new Refusal('unavailable')
    if (disabled.has(identity.userId)) throw new Refusal('disabled')
    await spend(request, 'rest', identity.userId)
    request.identity = identity
  }

  return async (request: FastifyRequest): Promise<void> => {
    const begun = performance.now()
    await judge(request)
    request.spentMs = performance.now() - begun
  }
}

function clientOf({ raw }: FastifyRequest, addressOf: AddressOf): string {
  const forwarded = raw.headers['x-forwarded-for'] ?? ''
  return addressOf(raw.socket.remoteAddress ?? '', typeof forwarded === 'string' ? forwarded : forwarded.join(','))
}
