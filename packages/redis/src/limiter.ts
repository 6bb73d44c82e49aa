import { type Consumed, type Limiter, type LimitRule, Unavailable } from '@chatbox/core'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { listOf, numberOf, script } from './connection/script.ts'
import type { Store } from './connection/store.ts'
import type { Keys } from './keys.ts'

/** KEYS the counter. ARGV points, window. What was used in the window that is under way, and for how long it still is. */
const consumePoints = script(
  'consume-points',
  `
local used = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  left = tonumber(ARGV[2])
end
return {used, left}
`,
)

/** KEYS the counter. */
const peekPoints = script(
  'peek-points',
  "return {tonumber(redis.call('GET', KEYS[1]) or '0'), redis.call('PTTL', KEYS[1])}",
)

export interface RedisLimiter extends Limiter {
  /** Keys that this process counts for itself; each goes when its window is over. */
  readonly size: number
}

export interface LimiterDeps {
  readonly store: Store
  readonly keys: Keys
  readonly rules: Readonly<Record<string, LimitRule>>
  /** Told each time that a budget had to be counted in this process alone. */
  readonly onAlone: () => void
}

/**
 * Counted where all replicas see it, in the server's time. While it is away each process counts for itself: the budget is that of
 * one process then, and nothing fails open. The library for limits has windows of whole seconds in Redis, and clients of its own
 * to find; so it keeps the counts of a process, and two scripts those of Redis.
 */
export function createLimiter({ store, keys, rules, onAlone }: LimiterDeps): RedisLimiter {
  const buckets = new Map(Object.entries(rules).map(([bucket, rule]) => [bucket, { rule, alone: aloneOf(rule) }]))

  const bucketOf = (name: string) => {
    const bucket = buckets.get(name)
    if (!bucket) throw new TypeError(`there is no limit named ${name}`)
    return bucket
  }

  async function orAlone(ask: () => Promise<Consumed>, alone: () => Promise<Consumed>): Promise<Consumed> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      onAlone()
      return alone()
    }
  }

  return {
    get size() {
      return [...buckets.values()].reduce((sum, { alone }) => sum + alone.dump().storage.length, 0)
    },
    async consume(name, key, points = 1) {
      const { rule, alone } = bucketOf(name)
      const ask = async () => {
        const reply = listOf(await store.call(consumePoints, [`${keys.limit(name)}:${key}`], [points, rule.perMs]))
        return verdict(rule, numberOf(reply[0]), numberOf(reply[1]), points)
      }
      return orAlone(ask, () => consumeAlone(alone, key, points))
    },
    async peek(name, key) {
      const { rule, alone } = bucketOf(name)
      const ask = async () => {
        const reply = listOf(await store.call(peekPoints, [`${keys.limit(name)}:${key}`], []))
        return verdict(rule, numberOf(reply[0]), numberOf(reply[1]), 0)
      }
      return orAlone(ask, () => peekAlone(alone, key))
    },
  }
}

/** Asked with no points, a budget that is used up says no. */
function verdict(rule: LimitRule, used: number, leftMs: number, points: number): Consumed {
  const allowed = points === 0 ? used < rule.points : used <= rule.points
  return allowed ? { allowed, remaining: rule.points - used } : { allowed, retryAfterMs: Math.max(1, leftMs) }
}

/** Above this a timer fires at once, and the budget would refill at once with it. */
const LONGEST_MS = 2 ** 31 - 1

function aloneOf({ points, perMs }: LimitRule): RateLimiterMemory {
  if (!Number.isSafeInteger(points) || points < 1) throw new RangeError('a limit has 1 point or more')
  if (!(perMs >= 1 && perMs <= LONGEST_MS)) throw new RangeError(`a limit is per 1 to ${LONGEST_MS} ms`)
  return new RateLimiterMemory({ points, duration: perMs / 1000 })
}

async function consumeAlone(alone: RateLimiterMemory, key: string, points: number): Promise<Consumed> {
  try {
    const left = await alone.consume(key, points)
    return { allowed: true, remaining: left.remainingPoints }
  } catch (error) {
    // The library says no by rejecting with its result.
    if (error instanceof RateLimiterRes) return refused(error)
    throw error
  }
}

async function peekAlone(alone: RateLimiterMemory, key: string): Promise<Consumed> {
  const used = await alone.get(key)
  if (!used || used.msBeforeNext <= 0) return { allowed: true, remaining: alone.points }
  return used.remainingPoints > 0 ? { allowed: true, remaining: used.remainingPoints } : refused(used)
}

const refused = ({ msBeforeNext }: RateLimiterRes): Consumed => ({
  allowed: false,
  retryAfterMs: Math.max(1, Math.ceil(msBeforeNext)),
})
