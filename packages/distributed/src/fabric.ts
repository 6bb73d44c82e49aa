import { type Fabric, type LimitRule, Unavailable } from '@chatbox/core'
import { type Keyring, sealedFabric } from '@chatbox/crypto'
import { defaultClocks, redisFabric } from '@chatbox/redis'
import type { Check, Part, RedisConfig } from '@chatbox/runtime'
import { agreedKeys } from './agreed-keys.ts'
import { type Process, seldom } from './process.ts'

export interface FabricOptions {
  readonly redis: RedisConfig
  readonly keyring: Keyring
  /** Budgets that this service asks for. */
  readonly limits?: Readonly<Record<string, LimitRule>>
}

export interface DistributedFabric {
  readonly fabric: Fabric
  /** For readiness: one per role, and whether the processes have the same keys. */
  readonly checks: readonly Check[]
  /** Connects, before whatever uses it; a Redis that is away does not keep a service from starting, other keys than those at work do. */
  readonly part: Part
}

/** The ports over Redis under seal, with their metrics and lines in the log. */
export function distributedFabric(
  { log, metrics, timers, structures, onUnopenable }: Process,
  { redis: config, keyring, limits = {} }: FabricOptions,
): DistributedFabric {
  const connections = metrics.counter({
    name: 'redis_connection_events_total',
    help: 'What happened to connections to Redis, by role: up, down, deaf (heard nothing any more), moved (another layout).',
    labels: ['role', 'what'],
  })
  const alone = metrics.counter({
    name: 'rate_limited_alone_total',
    help: 'Rate limits that were counted in this process alone, because Redis could not be asked.',
  })
  const saySeldom = seldom(timers.ms(FAULT_SAID_MS))
  const redis = redisFabric({
    ...config,
    clocks: timers.all({ ...defaultClocks }),
    limits,
    onConnection(role, what, reason) {
      connections.inc({ role, what })
      if (what === 'up') log.info({ role }, 'connected to Redis')
      else log.warn({ role, what, err: reason }, 'a connection to Redis')
    },
    onEviction: (role, policy) =>
      saySeldom(`eviction ${role}`, () =>
        log.warn({ role, policy }, 'this Redis throws away what has to stay when its memory is full: docs/redis.md'),
      ),
    onLimitedAlone: () => alone.inc(),
    onJobFault: (err) =>
      saySeldom('job fault', () => log.error({ err, role: 'queue' }, 'the job store reported a fault')),
    onError: (err) => log.error({ err }, 'a listener of the fabric failed'),
  })
  for (const name of Object.keys(redis.sizes())) {
    structures.track({ name: `redis_${name}`, size: () => redis.sizes()[name] ?? 0, warnAbove: 50_000 })
  }

  const fabric = sealedFabric(redis, keyring, { onUnopenable })
  for (const name of ['users', 'others'] as const) {
    structures.track({ name: `keys_${name}`, size: () => fabric.sizes()[name], warnAbove: KEYS_WARN_ABOVE[name] })
  }

  const keys = agreedKeys({ claims: redis.claims, keyring, log, timers })
  const storeChecks = (['realtime', 'queue'] as const).map((role) => ({
    name: `redis_${role}`,
    ping: () => redis.ping(role),
  }))

  return {
    fabric,
    checks: [...storeChecks, keys.check],
    part: {
      name: 'redis',
      async start(stopping) {
        try {
          await redis.start(FIRST_TRY_MS)
        } catch (err) {
          if (!(err instanceof Unavailable)) throw err
          log.warn({ err }, 'Redis cannot be reached yet')
        }
        await keys.start(stopping)
      },
      async stop() {
        await keys.stop()
        await redis.close()
      },
    },
  }
}

const FIRST_TRY_MS = 2_000
/** It tries several times a second while its server is away. */
const FAULT_SAID_MS = 10_000

/** What is over the cache's bound is made anew each time that it is used. */
const KEYS_WARN_ABOVE = { users: 18_000, others: 1_500 }
