import { randomBytes } from 'node:crypto'
import type { Conversations, Fabric, Leases } from '@chatbox/core'
import { createKeyring, defaultHashKey, sealedConversations, sealedFabric } from '@chatbox/crypto'
import { migrateMongo, openMongo } from '@chatbox/mongo'
import { redisFabric } from '@chatbox/redis'
import { killAll } from '@chatbox/testkit/process'
import { startMongo, startRedis } from '@chatbox/testkit/servers'
import { type Service, startService } from '../lib/service.ts'
import { type Addresses, BASELINE_DATABASE } from './addresses.ts'

const DATABASE = 'chatbox_bench'
/** None of what is measured goes this way. */
const PATIENCE_MS = 60_000

/** A Redis for each role and a MongoDB, all of them fresh, and what an edge and a worker see of them. */
export interface Stores {
  readonly addresses: Addresses
  readonly fabric: Fabric
  readonly conversations: Conversations
  readonly leases: Leases
  /** Storage as a process of its own. */
  startStorage(nodeOptions?: readonly string[]): Promise<StorageProcess>
  stop(): Promise<void>
}

export type StorageProcess = Service

const unopenable = () => {
  throw new Error('what was sealed a moment ago does not open')
}

async function startStores(): Promise<Stores> {
  const [realtime, queue, mongo] = await Promise.all([startRedis(), startRedis(), startMongo()])
  const key = randomBytes(32)
  const hashKey = Buffer.from(defaultHashKey(key))
  await migrateMongo({ uri: mongo.url, database: DATABASE })
  await migrateMongo({ uri: mongo.url, database: BASELINE_DATABASE })
  const keyring = createKeyring({ keys: [{ id: 'k1', key }], hashKey })
  const redis = redisFabric({ realtimeUrl: realtime.url, queueUrl: queue.url })
  await redis.start()
  const own = openMongo({ uri: mongo.url, database: DATABASE, answerMs: PATIENCE_MS })

  return {
    addresses: { realtimeUrl: realtime.url, queueUrl: queue.url, mongoUrl: mongo.url, key },
    fabric: sealedFabric(redis, keyring, { onUnopenable: unopenable }),
    conversations: sealedConversations(own.conversations, keyring, { onUnopenable: unopenable }),
    leases: own.leases,
    startStorage: (nodeOptions) =>
      startService(
        'storage',
        {
          PATH: process.env.PATH,
          HOST: '127.0.0.1',
          PORT: '0',
          OPS_PORT: '0',
          REDIS_REALTIME_URL: realtime.url,
          REDIS_QUEUE_URL: queue.url,
          MONGODB_URI: mongo.url,
          MONGODB_DATABASE: DATABASE,
          JWT_SECRET: randomBytes(48).toString('base64url'),
          ENCRYPTION_KEY: key.toString('base64'),
          HASH_KEY: hashKey.toString('base64'),
          DRAIN_DELAY: '0s',
        },
        nodeOptions,
      ),
    async stop() {
      await killAll()
      await Promise.all([redis.close(), own.close()])
      await Promise.all([realtime.stop(), queue.stop(), mongo.stop()])
    },
  }
}

/** Runs the work with stores of its own, and ends whatever it started, also when it is interrupted. */
export async function withStores(work: (stores: Stores) => Promise<void>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void killAll().then(() => process.exit(1)))
  }
  const stores = await startStores()
  try {
    await work(stores)
  } finally {
    await stores.stop()
  }
}
