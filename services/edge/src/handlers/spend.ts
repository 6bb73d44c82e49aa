import { Refusal, type UserId } from '@chatbox/core'
import type { Connection } from '../connection.ts'

/** Takes one from the user's budget, over all devices and edges, or refuses (X6). */
export async function spend({ edge, log }: Connection, bucket: 'messages' | 'requests', uid: UserId): Promise<void> {
  const consumed = await edge.fabric.limiter.consume(bucket, uid)
  if (consumed.allowed) return
  log.warn({ bucket }, 'a rate limit was reached')
  throw new Refusal('rate_limited', { retryAfterMs: consumed.retryAfterMs })
}

/**
 * A handshake that failed, or that nobody followed up, counts against its address, and nothing else does (R29): an office of people who
 * come back together costs its address nothing. Neither does a refused origin, or any page could lock out the network of its visitors.
 */
export async function spendHandshake({ edge, address, log }: Connection, why: 'token' | 'silent'): Promise<void> {
  edge.metrics.unauthenticated.inc({ why })
  if (!(await edge.offenders.failed(address))) log.warn({ bucket: 'handshakes' }, 'a rate limit was reached')
}
