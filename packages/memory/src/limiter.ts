import type { Consumed, Limiter, LimitRule } from '@chatbox/core'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

export interface MemoryLimiter<Bucket extends string = string> extends Limiter<Bucket> {
  /** Keys that have used something of their budget; each goes by itself when its time is over. */
  readonly size: number
  empty(): void
}

/** Above this a timer fires at once, and the budget would refill at once with it. */
const LONGEST_MS = 2 ** 31 - 1

function windowOf(bucket: string, { points, perMs }: LimitRule): RateLimiterMemory {
  if (!Number.isSafeInteger(points) || points < 1) throw new RangeError(`limit ${bucket}: points must be 1 or more`)
  if (!(perMs >= 1 && perMs <= LONGEST_MS)) throw new RangeError(`limit ${bucket}: perMs must be 1 to ${LONGEST_MS}`)
  return new RateLimiterMemory({ keyPrefix: bucket, points, duration: perMs / 1000 })
}

export function createLimiter<Bucket extends string>(
  rules: Readonly<Record<Bucket, LimitRule>>,
): MemoryLimiter<Bucket> {
  const make = () => new Map(Object.entries<LimitRule>(rules).map(([bucket, rule]) => [bucket, windowOf(bucket, rule)]))
  let windows = make()

  const windowFor = (bucket: string): RateLimiterMemory => {
    const window = windows.get(bucket)
    if (!window) throw new TypeError(`there is no limit named ${bucket}`)
    return window
  }

  return {
    async consume(bucket, key, points = 1) {
      try {
        const left = await windowFor(bucket).consume(key, points)
        return { allowed: true, remaining: left.remainingPoints }
      } catch (error) {
        // The library says no by rejecting with its result.
        if (error instanceof RateLimiterRes) return refused(error)
        throw error
      }
    },
    async peek(bucket, key): Promise<Consumed> {
      const window = windowFor(bucket)
      const used = await window.get(key)
      if (!used || used.msBeforeNext <= 0) return { allowed: true, remaining: window.points }
      return used.remainingPoints > 0 ? { allowed: true, remaining: used.remainingPoints } : refused(used)
    },
    get size() {
      return [...windows.values()].reduce((sum, window) => sum + window.dump().storage.length, 0)
    },
    empty() {
      windows = make()
    },
  }
}

const refused = (result: RateLimiterRes): Consumed => ({
  allowed: false,
  retryAfterMs: Math.max(1, Math.ceil(result.msBeforeNext)),
})
