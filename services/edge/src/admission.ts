import { performance } from 'node:perf_hooks'

/** Nobody is asked to wait longer than this, however many there are. */
const LONGEST_MS = 30_000
/** Nobody is to come back at once. */
const SHORTEST_MS = 100
/** What may come in at once after a quiet time. */
const BURST_SECONDS = 0.2
/** So many times the rate are told over a socket when to come back; beyond it that itself would be the load. */
const TOLD_SHARE = 4

/** `told`: by a frame, over a socket that is opened for it. `refused`: by a status alone. */
export type Admitted = { readonly kind: 'in' } | { readonly kind: 'told' | 'refused'; readonly afterMs: number }

/**
 * Lets newcomers in at a rate that leaves those who are in their latency (fault 28). Each of the others is given a time of its own, as
 * in a queue that moves at that rate: nobody is asked to wait longer than all need, and few find the door closed a second time. Whoever
 * can read the status of a refused handshake (`seesStatus`) needs no socket to be told.
 */
export function admission(
  perSecond: number,
  now: () => number = () => performance.now(),
): (seesStatus: boolean) => Admitted {
  const inside = bucket(perSecond, Math.max(1, perSecond * BURST_SECONDS), now)
  const sockets = bucket(perSecond * TOLD_SHARE, Math.max(1, perSecond), now)
  const longestQueue = (LONGEST_MS / 1_000) * perSecond
  /** Those who were given a time that has not come yet. */
  let queue = 0
  let at = now()

  function nextTurn(): number {
    if (queue >= longestQueue) return LONGEST_MS * (0.5 + Math.random() / 2)
    queue += 1
    // What may come in at once takes up the jitter.
    return SHORTEST_MS + (queue / perSecond + Math.random() * BURST_SECONDS) * 1_000
  }

  return (seesStatus) => {
    const time = now()
    queue = Math.max(0, queue - ((time - at) / 1_000) * perSecond)
    at = time
    if (inside()) return { kind: 'in' }
    if (seesStatus || sockets()) return { kind: seesStatus ? 'refused' : 'told', afterMs: Math.ceil(nextTurn()) }
    // It hears of no time, comes when it likes, and so takes nobody's place.
    return { kind: 'refused', afterMs: SHORTEST_MS }
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
