import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './lib/port.ts'
import type { RedisOptions, RedisSource } from './redis.ts'
import { runRedis } from './redis.ts'
import type { RunningServer } from './running.ts'

/** Three masters without replicas: the smallest cluster there is. */
export interface RedisCluster {
  readonly url: string
  readonly nodes: readonly RunningServer[]
  /** SIGKILL to all, and back again where they were, with nothing in them. Resolves when they serve all slots. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const NODES = 3
const SLOTS = 16_384
const FORMS_WITHIN_MS = 20_000

export async function runRedisCluster(source: RedisSource): Promise<RedisCluster> {
  if (source.kind === 'url') throw new Error('a cluster needs a redis-server of its own: unset REDIS_TEST_URL')
  const busPorts = await Promise.all(Array.from({ length: NODES }, freePort))
  const settings = (i: number): RedisOptions => ({
    args: [
      ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
      ...['--cluster-port', String(busPorts[i]), '--cluster-node-timeout', '500'],
    ],
  })
  let nodes = await Promise.all(busPorts.map((_, i) => runRedis(source, settings(i))))
  await onAll(nodes, async (redis, i) => {
    const [from, to] = [i, i + 1].map((n) => Math.floor((n * SLOTS) / NODES))
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', Number(from), Number(to) - 1)
    const [first] = nodes
    if (first && i > 0) await redis.call('CLUSTER', 'MEET', '127.0.0.1', first.port, Number(busPorts[0]))
  })
  await formed(nodes)
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    get nodes() {
      return nodes
    },
    async restart() {
      await Promise.all(nodes.map((node) => node.kill()))
      nodes = await Promise.all(nodes.map(({ port, dir }, i) => runRedis(source, { ...settings(i), port, dir })))
      await formed(nodes)
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}

async function formed(nodes: readonly RunningServer[]): Promise<void> {
  const until = Date.now() + FORMS_WITHIN_MS
  await onAll(nodes, async (redis) => {
    for (;;) {
      const info = String(await redis.call('CLUSTER', 'INFO'))
      if (info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`)) return
      if (Date.now() > until) throw new Error(`the Redis Cluster did not form:\n${info}`)
      await pause(20)
    }
  })
}

async function onAll(
  nodes: readonly RunningServer[],
  work: (redis: Redis, i: number) => Promise<unknown>,
): Promise<void> {
  await Promise.all(
    nodes.map(async ({ port }, i) => {
      const redis = new Redis({ host: '127.0.0.1', port })
      try {
        await work(redis, i)
      } finally {
        redis.disconnect()
      }
    }),
  )
}
