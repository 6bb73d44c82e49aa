import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './lib/port.ts'
import type { RedisOptions, RedisSource } from './redis.ts'
import { runRedis } from './redis.ts'
import type { RunningServer } from './running.ts'

export interface RedisClusterOptions {
  /** Each has as many of the slots. Default 3, the smallest cluster in which somebody is missed. */
  readonly masters?: number
  /** Which of the masters has a replica. By default none has. */
  readonly replicaOf?: number
  /** Files of a certificate that everybody trusts; the nodes speak TLS among themselves then, and to those who use the url. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

export interface RedisCluster {
  readonly url: string
  readonly nodes: readonly RunningServer[]
  /** Of the master that was asked for. */
  readonly replica: RunningServer | undefined
  /** Resolves when the replica is the master, and everybody who lives knows. */
  failedOver(): Promise<void>
  /** SIGKILL to all, and back again where they were, with nothing in them. Resolves when they serve all slots. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const SLOTS = 16_384
const FORMS_WITHIN_MS = 20_000

export async function runRedisCluster(
  source: RedisSource,
  { masters: size = 3, replicaOf, tls }: RedisClusterOptions = {},
): Promise<RedisCluster> {
  if (source.kind === 'url') throw new Error('a cluster needs a redis-server of its own: unset REDIS_TEST_URL')
  const count = size + (replicaOf === undefined ? 0 : 1)
  const busPorts = await Promise.all(Array.from({ length: count }, () => freePort()))
  const tlsPorts = tls && (await Promise.all(Array.from({ length: count }, () => freePort())))
  const tlsArgs = (i: number) =>
    tls && tlsPorts
      ? [
          ...['--tls-port', String(tlsPorts[i]), '--tls-cluster', 'yes', '--tls-auth-clients', 'no'],
          ...['--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-ca-cert-file', tls.cert],
        ]
      : []
  const settings = (i: number): RedisOptions => ({
    args: [
      ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'],
      ...['--cluster-port', String(busPorts[i]), '--cluster-node-timeout', '500'],
      // However old the replica's link is.
      ...['--cluster-replica-validity-factor', '0'],
      ...tlsArgs(i),
    ],
  })
  let servers = await Promise.all(busPorts.map((_, i) => runRedis(source, settings(i))))
  const masters = () => servers.slice(0, size)
  const replica = () => servers[size]
  await onAll(masters(), async (redis, i) => {
    const [from, to] = [i, i + 1].map((n) => Math.floor((n * SLOTS) / size))
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', Number(from), Number(to) - 1)
  })
  await onAll(servers, async (redis, i) => {
    const [first] = servers
    if (first && i > 0) await redis.call('CLUSTER', 'MEET', '127.0.0.1', first.port, Number(busPorts[0]))
  })
  await formed(servers)
  if (replicaOf !== undefined) {
    const ids = await onAll(servers, (redis) => redis.call('CLUSTER', 'MYID'))
    await onAll(servers.slice(size), async (redis) => {
      await redis.call('CLUSTER', 'REPLICATE', String(ids[replicaOf]))
      await until(async () => (await redis.info('replication')).includes('master_link_status:up'))
    })
    await onAll(servers, (redis) => until(async () => slavesIn(await redis.call('CLUSTER', 'NODES')) === 1))
  }
  return {
    url: `${tls ? 'rediss' : 'redis'}+cluster://${masters()
      .map(({ port }, i) => `127.0.0.1:${tlsPorts?.[i] ?? port}`)
      .join(',')}`,
    get nodes() {
      return masters()
    },
    get replica() {
      return replica()
    },
    async failedOver() {
      const living = servers.filter((_, i) => i !== replicaOf)
      await onAll(servers.slice(size), (redis) => until(async () => (await redis.info()).includes('role:master')))
      await onAll(living, (redis) =>
        until(async () => {
          const said = String(await redis.call('CLUSTER', 'NODES'))
          return slavesIn(said) === 0 && String(await redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok')
        }),
      )
    },
    async restart() {
      await Promise.all(servers.map((server) => server.kill()))
      servers = await Promise.all(servers.map(({ port, dir }, i) => runRedis(source, { ...settings(i), port, dir })))
      await formed(servers)
    },
    async stop() {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

const slavesIn = (nodes: unknown): number =>
  String(nodes)
    .split('\n')
    .filter((line) => / (?:myself,)?slave/.test(line)).length

async function formed(nodes: readonly RunningServer[]): Promise<void> {
  await onAll(nodes, (redis) =>
    until(async () => {
      const info = String(await redis.call('CLUSTER', 'INFO'))
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`)
    }),
  )
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + FORMS_WITHIN_MS
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('the nodes of the Redis Cluster did not come to terms')
    await pause(20)
  }
}

async function onAll<T>(nodes: readonly RunningServer[], work: (redis: Redis, i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(
    nodes.map(async ({ port }, i) => {
      const redis = new Redis({ host: '127.0.0.1', port })
      try {
        return await work(redis, i)
      } finally {
        redis.disconnect()
      }
    }),
  )
}
