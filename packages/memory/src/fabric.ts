import type { AnswerId, Fabric, Job } from '@chatbox/core'
import { createAnswers } from './answers.ts'
import { createBus, type EdgeChannels } from './bus.ts'
import { channels } from './channels.ts'
import { createDisabled } from './disabled.ts'
import { createIngest } from './ingest.ts'
import { createJobs } from './jobs.ts'
import { laterQueue } from './later.ts'
import { createLimiter } from './limiter.ts'
import { defaultBounds, defaultClocks, type MemoryOptions, type MemorySizes } from './options.ts'
import { createRegistry } from './registry.ts'
import { createUsers } from './users.ts'

/** What a Redis of this role would lose: `realtime` has bus, answers, registry, limits and the disabled users, `queue` has entries and jobs. */
export type StoreRole = 'realtime' | 'queue'

export interface MemoryFabric extends Fabric {
  /** Loses everything that a Redis may lose. Who is subscribed, owns a partition or consumes jobs still does. */
  empty(role?: StoreRole): void
  /** How much is kept of each thing (S5). */
  sizes(): MemorySizes
  /** Ends timers and waiting reads; delivers nothing any more. */
  close(): Promise<void>
  /** For tests: what a network and other machines would do to the distributed fabric. */
  readonly test: {
    readonly jobs: { lose(job: Job): boolean }
  }
}

/** All ports of one process. Behaves like the distributed fabric, and is lost with the process, as a Redis may be. */
export function memoryFabric(options: MemoryOptions = {}): MemoryFabric {
  const clocks = { ...defaultClocks, ...options.clocks }
  const bounds = { ...defaultBounds, ...options.bounds }
  const now = options.now ?? Date.now
  const released = options.onReleased ?? (() => undefined)
  const later = laterQueue(options.onError ?? throwUncaught)

  const edges: EdgeChannels = channels(later)
  const cancels = channels<'cancels', (answerId: AnswerId) => void>(later)
  const changes = channels<'changes', () => void>(later)
  const users = createUsers({ clocks, bounds, now, later, released })
  const ingest = createIngest({ clocks, bounds, now, released })
  // A handler that fails ends its job, as the port says; nobody has to be told unless they asked.
  const jobs = createJobs({ clocks, bounds, later, onError: options.onError ?? (() => undefined) })
  const registry = createRegistry({ clocks, now, released })
  const limiter = createLimiter(options.limits ?? {})
  const disabled = createDisabled(changes)

  const sweeping = setInterval(() => {
    users.sweep()
    ingest.sweep()
    registry.sweep()
  }, clocks.sweepMs).unref()

  return {
    bus: createBus(users, edges),
    answers: createAnswers({ users, cancels, bounds, now }),
    ingest,
    jobs,
    registry,
    limiter,
    disabled,
    empty(role) {
      if (role !== 'queue') {
        users.empty()
        edges.postAll((listener) => listener.gap())
        registry.empty()
        limiter.empty()
        disabled.empty()
      }
      if (role !== 'realtime') {
        ingest.empty()
        jobs.empty()
      }
    },
    sizes: () => ({
      users: users.size,
      answers: users.answerCount,
      subscriptions: users.listeners.size,
      entries: ingest.sizes.entries,
      outcomes: ingest.sizes.outcomes,
      dead_letters: ingest.sizes.dead,
      jobs: jobs.size,
      connections: registry.sizes.connections,
      edges: registry.sizes.edges,
      // Counted only when it is asked for, because that takes a walk over the keys.
      get limit_keys() {
        return limiter.size
      },
    }),
    async close() {
      clearInterval(sweeping)
      users.listeners.clear()
      edges.clear()
      cancels.clear()
      changes.clear()
      ingest.close()
      jobs.close()
    },
    test: { jobs: { lose: jobs.lose } },
  }
}

function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
