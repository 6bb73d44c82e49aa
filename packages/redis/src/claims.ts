import { listOf, script, textOf } from './connection/script.ts'
import type { Store } from './connection/store.ts'
import type { Keys } from './keys.ts'

export interface Claim {
  /** What the caller claims, if it may. */
  readonly own: readonly string[]
  /** What it can live with beside that. */
  readonly known: readonly string[]
  /** `look` claims nothing, `join` claims if nobody claims what the caller doesn't know, `hold` claims in any case. */
  readonly how: 'look' | 'join' | 'hold'
  /** A claim that nobody repeats in this time is gone. */
  readonly leaseMs: number
}

/** Short texts that processes say of themselves, and that others compare with what they can live with. */
export interface Claims {
  /** What others claim that the caller does not know. */
  claim(claim: Claim): Promise<string[]>
}

/** Of a set-up gone wrong; that there is one is what matters. */
const MOST_READ = 100

/**
 * KEYS the claims. ARGV lease, how, the number of own claims, own and known claims. One step, so that of two that come at the same
 * moment one sees the other.
 */
const claimOrLook = script(
  'claim',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local known = {}
for i = 4, #ARGV do known[ARGV[i]] = true end
local strange = {}
for _, claim in ipairs(redis.call('ZRANGE', KEYS[1], 0, ${MOST_READ - 1})) do
  if not known[claim] then strange[#strange + 1] = claim end
end
if ARGV[2] == 'hold' or (ARGV[2] == 'join' and #strange == 0) then
  for i = 4, 3 + ARGV[3] do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return strange
`,
)

export function createClaims(store: Store, keys: Keys): Claims {
  return {
    async claim({ own, known, how, leaseMs }) {
      const args = [leaseMs, how, own.length, ...own, ...known]
      return listOf(await store.call(claimOrLook, [keys.claims], args)).map(textOf)
    },
  }
}
