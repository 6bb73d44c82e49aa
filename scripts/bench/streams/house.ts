import { randomBytes } from 'node:crypto'
import { defaultHashKey } from '@chatbox/crypto'
import { migrateMongo } from '@chatbox/mongo'
import { killAll } from '@chatbox/testkit/process'
import { type RunningServer, startMongo, startRedis } from '@chatbox/testkit/servers'
import type { Target } from '../distributed/load/member.ts'
import { type Service, startService } from '../lib/service.ts'

/** The servers that houses share. */
export interface Servers {
  readonly realtime: RunningServer
  readonly queue: RunningServer
  readonly mongo: RunningServer
}

export interface HouseOptions {
  /** Of its database and its keys in Redis. */
  readonly name: string
  /** Where the model is asked. */
  readonly modelUrl: string
  /** Options of Node for edge and workers. */
  readonly node?: readonly string[]
}

/** Edge, storage and workers as they are deployed, each a process of its own, with one model. */
export interface House {
  readonly secret: string
  readonly edge: Service
  readonly storage: Service
  readonly target: Target
  startWorker(): Promise<Service>
  /** In order. */
  stop(): Promise<void>
}

const ORIGIN = 'https://chat.example.org'
/** The load is the point. */
const UNLIMITED = '1000000'

export async function openHouse(
  { realtime, queue, mongo }: Servers,
  { name, modelUrl, node = [] }: HouseOptions,
): Promise<House> {
  const database = `chatbox_bench_${name}`
  const key = randomBytes(32)
  const secret = randomBytes(48).toString('base64url')
  const model = { id: 'fake', label: 'Fake', provider: 'openai', model: 'fake', baseUrl: `${modelUrl}/v1` }
  await migrateMongo({ uri: mongo.url, database })
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
    REDIS_REALTIME_URL: realtime.url,
    REDIS_QUEUE_URL: queue.url,
    REDIS_PREFIX: name,
    MONGODB_URI: mongo.url,
    MONGODB_DATABASE: database,
    JWT_SECRET: secret,
    ENCRYPTION_KEY: key.toString('base64'),
    HASH_KEY: Buffer.from(defaultHashKey(key)).toString('base64'),
    MODELS: JSON.stringify([model]),
    WS_ALLOWED_ORIGINS: ORIGIN,
    DRAIN_DELAY: '0s',
    RATE_LIMIT_MESSAGES: UNLIMITED,
    RATE_LIMIT_REQUESTS: UNLIMITED,
    RATE_LIMIT_HANDSHAKES: UNLIMITED,
    MAX_UNAUTHENTICATED_PER_ADDRESS: UNLIMITED,
    HANDSHAKES_PER_SECOND: UNLIMITED,
    WORKER_CONCURRENCY: '5000',
    PROVIDER_CONCURRENCY: '5000',
  }
  const storage = await startService('storage', env)
  const edge = await startService('edge', env, node)
  const workers: Service[] = []
  return {
    secret,
    edge,
    storage,
    target: { dialect: 'chatbox', url: edge.addressOf('edge'), origin: ORIGIN },
    async startWorker() {
      const worker = await startService('worker', env, node)
      workers.push(worker)
      return worker
    },
    async stop() {
      await Promise.all([...workers, edge, storage].map((service) => service.stop()))
    },
  }
}

/** Runs the work with servers of its own, and ends whatever was started, also when it is interrupted. */
export async function withServers(work: (servers: Servers) => Promise<void>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void killAll().then(() => process.exit(1)))
  }
  const [realtime, queue, mongo] = await Promise.all([startRedis(), startRedis(), startMongo()])
  try {
    await work({ realtime, queue, mongo })
  } finally {
    await killAll()
    await Promise.all([realtime.stop(), queue.stop(), mongo.stop()])
  }
}
