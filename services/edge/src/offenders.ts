import type { Limiter } from '@chatbox/core'

/** Addresses that failed too often, as far as this edge has been told. */
export interface Offenders {
  /** For how long an address is not let in; 0 for everybody else. */
  waitMs(address: string): number
  /** Counts a failed handshake, over all edges. False: the budget is used up. */
  failed(address: string): Promise<boolean>
  readonly size: number
}

/** More than this is one attacker with many addresses, whom no list would keep out. */
const MOST = 10_000

/**
 * The budget of failed handshakes (X6, R29) is counted for all edges together, but asked for only by those who fail. Asking for every
 * newcomer would cost each of those who do nothing wrong a round trip, just when everybody comes back at once. So an edge hears of an
 * address that used its budget up elsewhere when that address fails here once more.
 */
export function createOffenders(
  limiter: Limiter<'handshakes'>,
  now: () => number = () => performance.now(),
): Offenders {
  const until = new Map<string, number>()

  function remember(address: string, waitMs: number): void {
    const at = now()
    until.delete(address)
    until.set(address, at + waitMs)
    // The oldest come first, and all windows are of one length.
    for (const [oldest, ends] of until) {
      if (ends > at && until.size <= MOST) return
      until.delete(oldest)
    }
  }

  return {
    waitMs(address) {
      const ends = until.get(address)
      if (ends === undefined) return 0
      const left = ends - now()
      if (left <= 0) until.delete(address)
      return Math.max(0, left)
    },
    async failed(address) {
      const consumed = await limiter.consume('handshakes', address)
      if (consumed.allowed && consumed.remaining > 0) return true
      const asked = consumed.allowed ? await limiter.peek('handshakes', address) : consumed
      if (!asked.allowed) remember(address, asked.retryAfterMs)
      return consumed.allowed
    },
    get size() {
      return until.size
    },
  }
}
