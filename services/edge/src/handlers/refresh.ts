import { Refusal, type RequestId } from '@chatbox/core'
import type { ClientFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { ping } from './ping.ts'

/** How a connection stands with new tokens for itself. */
export interface Refreshes {
  underWay: boolean
  /** In the time of `performance.now`: until then none is looked at. */
  notBefore: number
}

/** When to ask again while another one is looked at. */
const MEANWHILE_MS = 1_000

/**
 * A new token for the same user postpones the end (X3); anything else leaves the connection as it was. One is looked at at a time, and
 * those that are refused take from the user's budget: to verify is the dearest thing that a frame can ask for.
 */
export async function refresh(
  connection: Connection,
  member: Member,
  frame: ClientFrameOf<'auth.refresh'>,
  request: RequestId,
): Promise<void> {
  member.refreshes ??= { underWay: false, notBefore: 0 }
  const { refreshes } = member
  const waitMs = refreshes.underWay ? MEANWHILE_MS : Math.ceil(refreshes.notBefore - performance.now())
  if (waitMs > 0) throw new Refusal('rate_limited', { retryAfterMs: waitMs })
  refreshes.underWay = true
  try {
    const identity = await connection.edge.verify.verify(frame.token)
    if (identity.userId !== member.uid) throw new Refusal('forbidden')
    member.identity = identity
    connection.expireAt(identity.expiresAt)
    ping(connection, request)
  } catch (error) {
    // Keys that can't be had are no fault of whoever asks.
    if (error instanceof Refusal && error.code !== 'unavailable') await spendOn(refreshes, connection, member)
    throw error
  } finally {
    refreshes.underWay = false
  }
}

async function spendOn(refreshes: Refreshes, { edge, log }: Connection, { uid }: Member): Promise<void> {
  try {
    const consumed = await edge.fabric.limiter.consume('requests', uid)
    if (consumed.allowed) return
    log.warn({ bucket: 'requests' }, 'a rate limit was reached')
    refreshes.notBefore = performance.now() + consumed.retryAfterMs
  } catch (err) {
    log.warn({ err }, 'a token that was refused could not be counted')
  }
}
