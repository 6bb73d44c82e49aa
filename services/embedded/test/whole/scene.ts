import { setTimeout as pause } from 'node:timers/promises'
import type { Turn } from '@chatbox/core'
import { killAll } from '@chatbox/testkit/process'
import { type RunningServer, startMongo, startRedis } from '@chatbox/testkit/servers'
import { expect } from 'vitest'
import { type Roamer, startRoamer } from '../distributed/roamer.ts'
import { later } from '../distributed/scene.ts'
import { type Distributed, startDistributed } from '../distributed/system.ts'
import { type Processes, processes, type Stores } from './backend.ts'
import { type Ring, ringEnv } from './ring.ts'

export interface Whole {
  readonly system: Distributed
  readonly backend: Processes
  readonly roamers: readonly Roamer[]
  readonly stores: Stores
  /** One more device, which is none of `roamers`. */
  join(user: string, deviceId: string): Roamer
}

export interface WholeOptions {
  readonly roamers: number
  readonly clockScale: number
  readonly patience: { readonly timeout: number; readonly interval: number }
  readonly workers?: number
  readonly env?: NodeJS.ProcessEnv
  /** Those on offer, where it is not the demo. */
  readonly models?: string
  readonly ring?: Ring
  /** More settings of both Redis. */
  readonly redisArgs?: readonly string[]
}

async function ownStores(args: readonly string[] = []): Promise<Stores> {
  const started: RunningServer[] = await Promise.all([startRedis({ args }), startRedis({ args }), startMongo()])
  later(() => Promise.all(started.map((server) => server.stop())))
  const [realtime, queue, mongo] = started
  if (!realtime || !queue || !mongo) throw new Error('a server did not start')
  return { realtime, queue, mongo }
}

/** Two edges, two replicas of storage and a worker as processes, over two Redis and a MongoDB; two devices for each user. */
export async function whole(options: WholeOptions): Promise<Whole> {
  const { roamers: count, clockScale, patience, workers = 1, ring } = options
  const models = options.models !== undefined && { MODELS: options.models }
  const env = { ...models, ...options.env }
  const stores = await ownStores(options.redisArgs)
  // Also of those that had started when another one did not.
  later(killAll)
  let backend: Processes | undefined
  const system = await startDistributed({
    redisUrl: stores.realtime.url,
    clockScale,
    edges: 2,
    env: { REDIS_QUEUE_URL: stores.queue.url, ...models, ...(ring && ringEnv(ring)) },
    async backend(secrets) {
      backend = await processes({ ...stores, workers, env, ...(ring && { ring }) }, secrets)
      return backend
    },
  })
  if (!backend) throw new Error('there is no backend')
  later(() => system.stop())
  let turn = 0
  const join = (user: string, deviceId: string) => {
    let own = turn++
    const pick = () => system.edges[own++ % system.edges.length]
    // As clients do, when nobody has told them anything within the time that a request has (P8).
    const roamer = startRoamer(system, user, deviceId, pick, 6_000 * Math.max(clockScale, 0.25))
    later(() => roamer.stop())
    return roamer
  }
  const roamers = Array.from({ length: count }, (_, i) => join(`user-${i >> 1}`, `device-${i}`))
  await expect.poll(() => roamers.every(({ connected }) => connected), patience).toBe(true)
  return { system, backend, roamers, stores, join }
}

/** Each device says so many things in a session of its own, one after the other, and more as long as it is to go on. */
export function talk(roamers: readonly Roamer[], messages: number, pauseMs: number, goOn = () => false) {
  let said = 0
  const talking = roamers.map(async (roamer) => {
    let sid: string | undefined
    for (let n = 1; n <= messages || goOn(); n += 1) {
      const accepted = await roamer.say(`message ${n}`, sid)
      sid = accepted.sid
      said += 1
      await pause(pauseMs)
    }
  })
  const over = Promise.all(talking)
  // A test that fails stops the roamers under it; it has said why.
  over.catch(() => undefined)
  return { count: () => said, over }
}

/** Turns from which something has still to follow, without their contents. */
export async function unsettledTurns({ backend }: Whole): Promise<Turn[]> {
  const partitions = Array.from({ length: 64 }, (_, partition) => backend.conversations.unsettledOf(partition, 100))
  return (await Promise.all(partitions)).flat()
}

export const unsettled = async (all: Whole): Promise<number> => (await unsettledTurns(all)).length

/** Every accepted question has its end, and everything has followed from it; counters are those of the rows (R3). */
export async function settled(all: Whole, patience: WholeOptions['patience']): Promise<void> {
  const { backend, roamers } = all
  await expect.poll(() => unsettled(all), patience).toBe(0)
  const sids = new Set(roamers.flatMap((roamer) => [...roamer.accepted.values()].map(({ sid }) => sid)))
  for (const sid of sids) {
    const session = await backend.conversations.session(sid as never)
    const totals = await backend.conversations.totals(sid as never)
    expect({ sid, messages: session?.msgCount, tokens: session?.totalTokens, cost: session?.totalCost }).toEqual({
      sid,
      messages: totals.nextSeq - 1,
      tokens: totals.totalTokens,
      cost: totals.totalCost,
    })
  }
}
