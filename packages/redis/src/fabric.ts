import type { Fabric } from '@chatbox/core'
import { createAnswers } from './answers/answers.ts'
import { createBus } from './bus/bus.ts'
import { type Claims, createClaims } from './claims.ts'
import { defaultConnectionTimes } from './connection/options.ts'
import { createStore } from './connection/store.ts'
import { createDisabled } from './disabled.ts'
import { createIngest } from './ingest/ingest.ts'
import { createJobs } from './jobs/jobs.ts'
import { keysFor } from './keys.ts'
import { createLimiter } from './limiter.ts'
import { defaultBounds, defaultClocks, type RedisFabricOptions, type StoreRole } from './options.ts'
import { createRegistry } from './registry/registry.ts'

export interface RedisFabric extends Fabric {
  /** Where processes say which keys they have. */
  readonly claims: Claims
  /** Resolves when both can be used; rejects when that takes longer. They are tried on all the same. */
  start(ms?: number): Promise<void>
  ping(role: StoreRole): Promise<void>
  /** How much this process keeps of each thing (S5). */
  sizes(): Readonly<Record<string, number>>
  close(): Promise<void>
}

const START_MS = 10_000

/** In the realtime role: what ends by itself goes first, and what has no end stays. */
const MAY_EVICT = 'volatile-ttl'

/** All ports of many processes, over two roles that may be two servers or one. */
export function redisFabric(options: RedisFabricOptions): RedisFabric {
  const clocks = { ...defaultConnectionTimes, ...defaultClocks, ...options.clocks }
  const bounds = { ...defaultBounds, ...options.bounds }
  const keys = keysFor(options.prefix ?? 'chatbox')
  const onError = options.onError ?? throwUncaught
  const storeOf = (role: StoreRole, url: string) =>
    createStore(
      url,
      { times: clocks, ca: options.ca, sentinel: options.sentinel },
      {
        connection: (what, reason) => options.onConnection?.(role, what, reason),
        evicting(policy) {
          if (role === 'queue' || policy !== MAY_EVICT) options.onEviction?.(role, policy)
        },
      },
    )

  const realtime = storeOf('realtime', options.realtimeUrl)
  const queue = storeOf('queue', options.queueUrl)
  const bus = createBus({ store: realtime, keys, clocks, bounds, onError })
  const answers = createAnswers({ store: realtime, keys, clocks, bounds, onError })
  const ingest = createIngest({ store: queue, keys, clocks, bounds })
  const onFault = options.onJobFault ?? (() => undefined)
  const jobs = createJobs({ store: queue, keys, clocks, onError, onFault })
  const registry = createRegistry({ store: realtime, keys, clocks })
  const onAlone = options.onLimitedAlone ?? (() => undefined)
  const limiter = createLimiter({ store: realtime, keys, rules: options.limits ?? {}, onAlone })

  return {
    bus,
    answers,
    ingest,
    jobs,
    registry,
    limiter,
    disabled: createDisabled(realtime, keys),
    claims: createClaims(realtime, keys),
    async start(ms = START_MS) {
      await Promise.all([realtime.connected(ms), queue.connected(ms)])
    },
    ping: (role) => (role === 'realtime' ? realtime : queue).ping(),
    sizes: () => ({
      subscriptions: bus.subscriptions,
      sources: ingest.sources,
      jobs_at_work: jobs.atWork,
      channels: realtime.channelCount + queue.channelCount,
      // Counted only when it is asked for, because that takes a walk over the keys.
      get limit_keys() {
        return limiter.size
      },
    }),
    async close() {
      bus.close()
      ingest.close()
      jobs.close()
      registry.close()
      await Promise.all([realtime.close(), queue.close()])
    },
  }
}

function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
