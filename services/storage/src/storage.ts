import type { Part, Structures } from '@chatbox/runtime'
import type { FastifyInstance } from 'fastify'
import { defaultStorageTimes, type StorageDeps, type StoragePolicy, type StorageTimes } from './deps.ts'
import { mirrorDisabled } from './disabled.ts'
import { createChanges } from './http/changes.ts'
import { disabledUsers } from './http/disabled.ts'
import { createHttp, type RestOptions } from './http/server.ts'
import { owner } from './owner.ts'
import { sessionStates } from './session-states.ts'

export interface StorageOptions {
  readonly times?: Partial<StorageTimes>
  readonly policy?: StoragePolicy
  readonly rest?: RestOptions
  readonly structures?: Structures
  /** Sessions whose state is remembered between entries. */
  readonly maxSessions?: number
}

export interface Storage extends Part {
  /** The users' REST, for a server or a composition to pass requests to. */
  readonly http: FastifyInstance
}

/** The one writer of conversations: reads the ingest log, writes, announces, queues answers, and sweeps what was left. */
export function createStorage(deps: StorageDeps, options: StorageOptions = {}): Storage {
  const times = { ...defaultStorageTimes, ...options.times }
  const max = options.maxSessions ?? 50_000
  const states = sessionStates(deps.conversations, { max, graceMs: times.sessionGraceMs })
  const partitions = owner(deps, states, times, options.policy ?? {})
  const changes = createChanges(deps, times)
  const disabled = disabledUsers(deps, times)
  const http = createHttp(deps, { changes, disabled }, options.rest)
  const mirror = mirrorDisabled(deps, times)
  const cleanups: (() => Promise<void>)[] = []
  const tracked = [
    options.structures?.track({ name: 'storage_sessions', size: () => states.size, warnAbove: max * 0.9 }),
    options.structures?.track({ name: 'storage_entries', size: () => partitions.underWay, warnAbove: 5_000 }),
    options.structures?.track({ name: 'storage_requests', size: () => changes.waiting, warnAbove: 4_000 }),
  ]

  return {
    name: 'storage',
    http,
    async start() {
      cleanups.push(await mirror.start(), await disabled.start())
      await changes.start()
      await http.ready()
      await partitions.start()
    },
    async stop(deadline) {
      // Whoever asked for a change hears of it from the owners of partitions, so those stop after them.
      await unless(deadline, http.close().then(changes.stop))
      await Promise.all(cleanups.map((end) => end()))
      await partitions.stop(deadline)
      for (const structure of tracked) structure?.untrack()
    },
  }
}

/** Goes on without it when there is no more time. */
const unless = (deadline: AbortSignal, task: Promise<void>): Promise<void> =>
  new Promise((resolve, reject) => {
    if (deadline.aborted) return resolve()
    deadline.addEventListener('abort', () => resolve(), { once: true })
    task.then(resolve, reject)
  })
