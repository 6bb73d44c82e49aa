import type { RedisCluster, RunningServer } from '@chatbox/testkit/servers'
import calculateSlot from 'cluster-key-slot'
import { Redis } from 'ioredis'

/** Three masters of the tests' clusters have a third of the slots each. */
export const masterOf = (key: string): number => Math.floor((calculateSlot(key) * 3) / 16_384)

/** The first of these names that makes a key of this master. */
export function nameOn(master: number, keyOf: (name: string) => string): string {
  for (let i = 0; i < 1_000; i += 1) if (masterOf(keyOf(`name${i}`)) === master) return `name${i}`
  throw new Error('no such name')
}

export async function on<T>({ port }: RunningServer, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ host: '127.0.0.1', port })
  redis.on('error', () => undefined)
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}

export const onEach = <T>(servers: readonly RunningServer[], work: (redis: Redis) => Promise<T>): Promise<T[]> =>
  Promise.all(servers.map((server) => on(server, work)))

export interface Moving {
  /** All of them now; from here on new ones are made on the other server. */
  migrate(): Promise<void>
  /** The slot is the other server's. */
  done(): Promise<void>
}

/** Moves the slot of a key to the next master, step by step as an operator's tools do. */
export async function moveSlot(cluster: RedisCluster, key: string): Promise<Moving> {
  const slot = calculateSlot(key)
  const from = at(cluster.nodes, masterOf(key))
  const to = at(cluster.nodes, (masterOf(key) + 1) % 3)
  const [fromId, toId] = await onEach([from, to], async (redis) => String(await redis.call('CLUSTER', 'MYID')))
  await on(to, (redis) => redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(fromId)))
  await on(from, (redis) => redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(toId)))
  return {
    migrate: () =>
      on(from, async (redis) => {
        const keys = (await redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[]
        if (keys.length > 0) await redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys)
      }),
    async done() {
      const others = cluster.nodes.filter((node) => node !== to)
      for (const node of [to, ...others]) {
        await on(node, (redis) => redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(toId)))
      }
    },
  }
}

function at<T>(list: readonly T[], i: number): T {
  const item = list[i]
  if (item === undefined) throw new Error('there is no such node')
  return item
}
