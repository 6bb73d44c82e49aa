/** A number from 0 up to but not including 1, as Math.random gives. */
export type Random = () => number

/** A random wait from half of `ms` to `ms`, so that many who wait for the same thing do not come back together. */
export function jitter(ms: number, random: Random = Math.random): number {
  return ms / 2 + random() * (ms / 2)
}

/** The wait before try number `attempt` (from 0): doubled each time up to `max`, then jittered. */
export function backoff(attempt: number, bounds: { base: number; max: number }, random: Random = Math.random): number {
  // 2 ** attempt becomes Infinity for a large attempt, and min brings that back.
  return jitter(Math.min(bounds.max, bounds.base * 2 ** Math.max(0, attempt)), random)
}
