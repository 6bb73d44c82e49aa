import { Refusal, type UserId } from '@chatbox/core'
import type { Connection } from '../connection.ts'

/** Takes one from the user's budget, over all devices and edges, or refuses (X6). */
export async function spend({ edge, log }: Connection, bucket: 'messages' | 'requests', uid: UserId): Promise<void> {
  const consumed = await edge.fabric.limiter.consume(bucket, uid)
  if (consumed.allowed) return
  log.warn({ bucket }, 'a rate limit was reached')
  throw new Refusal('rate_limited', { retryAfterMs: consumed.retryAfterMs })
}
