import type { Part, Structures } from '@chatbox/runtime'
import type { FastifyInstance } from 'fastify'
import { defaultStorageTimes, type StorageDeps, type StoragePolicy, type StorageTimes } from './deps.ts'
import { mirrorDisabled } from './disabled.ts'
import { createHttp } from './http/server.ts'
import { owner } from './owner.ts'
import { sessionStates } from './session-states.ts'

export interface StorageOptions {
  readonly times?: Partial<StorageTimes>
  readonly policy?: StoragePolicy
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
  const http = createHttp(deps)
  const mirror = mirrorDisabled(deps, times)
  let endMirror: (() => Promise<void>) | undefined
  const tracked = [
    options.structures?.track({ name: 'storage_sessions', size: () => states.size, warnAbove: max * 0.9 }),
    options.structures?.track({ name: 'storage_entries', size: () => partitions.underWay, warnAbove: 5_000 }),
  ]

  return {
    name: 'storage',
    http,
    async start() {
      await http.ready()
      endMirror = await mirror.start()
      await partitions.start()
    },
    async stop(deadline) {
      await Promise.all([http.close(), endMirror?.()])
      await partitions.stop(deadline)
      for (const structure of tracked) structure?.untrack()
    },
  }
}
