import { setTimeout as pause } from 'node:timers/promises'
import { type Inspector, openInspector } from '../embedded/inspector.ts'
import { startChild } from '../lib/child.ts'
import { cpuMs, type ProcessMemory, settled } from '../lib/process-cost.ts'
import type { SteadyClients } from './load/steady.ts'
import { redisMemory } from './redis-memory.ts'
import { type Program, type System, targetOf } from './system.ts'

/** One look at a server with so many idle connections. */
export interface Idle {
  readonly connections: number
  readonly memory: ProcessMemory
  readonly redisKiB: number
  /** Processor time of the server, and of Redis, for opening one. */
  readonly cpuUsEach: number
  readonly redisUsEach: number
}

export interface IdleResult {
  readonly idle: readonly Idle[]
  /** KiB of the heap in use with the most connections, all garbage collected, and after they have gone. */
  readonly heapKiB: { readonly full: number; readonly gone: number }
}

const WARM_UP = 2_000
const GONE_MS = 3_000

/** Memory with none, then with so many connections, each of another user who was let in; and what is kept after they have gone. */
export async function measureIdle(system: System, server: Program, counts: readonly number[]): Promise<IdleResult> {
  const clients = startChild<SteadyClients>('distributed/load/steady.js')
  const inspector: Inspector | undefined = server.inspector ? await openInspector(server.inspector) : undefined
  const open = (what: string, count: number) => {
    const users = Array.from({ length: count }, (_, i) => `${server.pid}-${what}-${i}`)
    return clients.ask('open', { ...targetOf(server), users, secret: system.secret })
  }
  const redisMs = () => (system.redis.pid === undefined ? Number.NaN : cpuMs(system.redis.pid))
  try {
    // The heap grows once with the work of opening; that is not to count as the connections' own.
    await open('early', WARM_UP)
    await clients.ask('leave', undefined)
    await pause(GONE_MS)
    const look = async (connections: number, opening: Pick<Idle, 'cpuUsEach' | 'redisUsEach'>): Promise<Idle> => ({
      connections,
      memory: await settled(server.pid),
      redisKiB: await redisMemory(system.redis.url),
      ...opening,
    })
    const idle = [await look(0, { cpuUsEach: Number.NaN, redisUsEach: Number.NaN })]
    for (const connections of counts) {
      const more = connections - (idle.at(-1)?.connections ?? 0)
      const before = { server: cpuMs(server.pid), redis: redisMs() }
      await open(`of-${connections}`, more)
      const used = { server: cpuMs(server.pid) - before.server, redis: redisMs() - before.redis }
      idle.push(
        await look(connections, {
          cpuUsEach: (used.server * 1_000) / more,
          redisUsEach: (used.redis * 1_000) / more,
        }),
      )
    }
    const full = (await inspector?.collect()) ?? Number.NaN
    await clients.ask('leave', undefined)
    await pause(GONE_MS)
    const gone = (await inspector?.collect()) ?? Number.NaN
    return { idle, heapKiB: { full, gone } }
  } finally {
    inspector?.close()
    clients.stop()
  }
}
