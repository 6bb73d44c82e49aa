import { performance } from 'node:perf_hooks'

/** Nobody is asked to wait longer than this, however many there are. */
const LONGEST_MS = 30_000
/** What may come in at once after a quiet time. */
const BURST_SECONDS = 0.2
/** So many times the rate are told over a socket when to come back; beyond it that itself would be the load. */
const TOLD_SHARE = 4

/** `told`: by a frame, over a socket that is opened for it. `refused`: by a status alone. */
export type Admitted = { readonly kind: 'in' } | { readonly kind: 'told' | 'refused'; readonly afterMs: number }

/**
 * Lets newcomers in at a rate that leaves those who are in their latency (fault 28). The others are spread over the time that all who were
 * turned away need at that rate. Whoever can read the status of a refused handshake (`seesStatus`) needs no socket to be told.
 */
export function admission(
  perSecond: number,
  now: () => number = () => performance.now(),
): (seesStatus: boolean) => Admitted {
  const inside = bucket(perSecond, Math.max(1, perSecond * BURST_SECONDS), now)
  const sockets = bucket(perSecond * TOLD_SHARE, Math.max(1, perSecond), now)
  /** Those who were turned away and are to come back, as if they came in at the rate. */
  let waiting = 0
  let at = now()

  return (seesStatus) => {
    const time = now()
    waiting = Math.max(0, waiting - ((time - at) / 1_000) * perSecond)
    at = time
    if (inside()) return { kind: 'in' }
    waiting = Math.min(waiting + 1, (LONGEST_MS / 1_000) * perSecond)
    // Twice the mean, so that on average they come as fast as they can be let in; never at once, never all in one moment.
    const span = Math.max(1_000, (2_000 * waiting) / perSecond)
    const afterMs = Math.ceil(Math.min(LONGEST_MS, 100 + Math.random() * span))
    return { kind: !seesStatus && sockets() ? 'told' : 'refused', afterMs }
  }
}

/** A token bucket: true while there is one to take. */
function bucket(perSecond: number, burst: number, now: () => number): () => boolean {
  let tokens = burst
  let at = now()
  return () => {
    const time = now()
    tokens = Math.min(burst, tokens + ((time - at) / 1_000) * perSecond)
    at = time
    if (tokens < 1) return false
    tokens -= 1
    return true
  }
}
