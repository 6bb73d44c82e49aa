import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Leases, SealedConversations } from '@chatbox/core'
import { createKeyring, defaultHashKey, sealedConversations, sealedFabric } from '@chatbox/crypto'
import { migrateMongo, openMongo } from '@chatbox/mongo'
import { defaultClocks, redisFabric } from '@chatbox/redis'
import { createTimers } from '@chatbox/runtime'
import { type MongoWire, startMongoWire } from '@chatbox/testkit/mongo-wire'
import { startWire, type Wire } from '@chatbox/testkit/network'
import { type RunningProcess, runNode } from '@chatbox/testkit/process'
import type { RunningServer } from '@chatbox/testkit/servers'
import type { Backend, BackendSecrets } from '../distributed/system.ts'
import { type Ring, ringEnv } from './ring.ts'

const STORAGE = fileURLToPath(new URL('../../../storage/dist/main.js', import.meta.url))
const WORKER = fileURLToPath(new URL('../../../worker/dist/main.js', import.meta.url))

/** A replica of storage, and the stretches of network between it and each of its stores. */
export interface StorageProcess {
  readonly url: string
  readonly opsUrl: string
  readonly process: RunningProcess
  readonly wires: { readonly realtime: Wire; readonly queue: Wire; readonly mongo: MongoWire }
}

export interface WorkerProcess {
  readonly opsUrl: string
  readonly process: RunningProcess
}

export interface Stores {
  readonly realtime: RunningServer
  readonly queue: RunningServer
  readonly mongo: RunningServer
}

/** Storage and workers as processes of their own, over servers of their own. */
export interface Processes extends Backend {
  readonly storages: StorageProcess[]
  readonly workers: WorkerProcess[]
  readonly leases: Leases
  /** The rows as they are stored. */
  readonly sealed: SealedConversations
  /** What every process was told that needs the database and its keys. */
  readonly env: NodeJS.ProcessEnv
  startStorage(env?: NodeJS.ProcessEnv): Promise<StorageProcess>
  startWorker(env?: NodeJS.ProcessEnv): Promise<WorkerProcess>
}

export interface ProcessesOptions extends Stores {
  readonly storages?: number
  readonly workers?: number
  readonly env?: NodeJS.ProcessEnv
  /** The keys of all, where it is not one alone. */
  readonly ring?: Ring
}

export async function processes(
  { realtime, queue, mongo, ...options }: ProcessesOptions,
  { secret, key, clockScale }: BackendSecrets,
): Promise<Processes> {
  const database = `chatbox_whole_${randomUUID().slice(0, 8)}`
  await migrateMongo({ uri: mongo.url, database })
  const hashKey = Buffer.from(defaultHashKey(key))
  const wires: { close(): Promise<void> }[] = []
  const kept = async <W extends { close(): Promise<void> }>(starting: Promise<W>): Promise<W> => {
    const wire = await starting
    wires.push(wire)
    return wire
  }
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
    REDIS_REALTIME_URL: realtime.url,
    REDIS_QUEUE_URL: queue.url,
    MONGODB_URI: mongo.url,
    MONGODB_DATABASE: database,
    JWT_SECRET: secret,
    ENCRYPTION_KEY: key.toString('base64'),
    HASH_KEY: hashKey.toString('base64'),
    RATE_LIMIT_REST: '1000000',
    CLOCK_SCALE: String(clockScale),
    DRAIN_DELAY: '0s',
    SHUTDOWN_TIMEOUT: '9s',
    ...(options.ring && ringEnv(options.ring)),
    ...options.env,
  }
  const addressOf = async (running: RunningProcess, part: string) => {
    const [, address = ''] = await running.waitForOutput(new RegExp(`"part":"${part}","address":"([^"]+)"`))
    return address
  }

  async function startStorage(more: NodeJS.ProcessEnv = {}): Promise<StorageProcess> {
    const own = {
      realtime: await kept(startWire(realtime.port)),
      queue: await kept(startWire(queue.port)),
      mongo: await kept(startMongoWire(mongo.port)),
    }
    const running = runNode(STORAGE, {
      env: {
        ...env,
        REDIS_REALTIME_URL: `redis://127.0.0.1:${own.realtime.port}`,
        REDIS_QUEUE_URL: `redis://127.0.0.1:${own.queue.port}`,
        MONGODB_URI: `mongodb://127.0.0.1:${own.mongo.port}/?directConnection=true`,
        ...more,
      },
      waitMs: 180_000,
    })
    await running.waitForOutput(/start-up complete/)
    const started = {
      process: running,
      url: await addressOf(running, 'http'),
      opsUrl: await addressOf(running, 'ops'),
      wires: own,
    }
    storages.push(started)
    return started
  }
  async function startWorker(more: NodeJS.ProcessEnv = {}): Promise<WorkerProcess> {
    const running = runNode(WORKER, { env: { ...env, ...more }, waitMs: 180_000 })
    await running.waitForOutput(/start-up complete/)
    const started = { process: running, opsUrl: await addressOf(running, 'ops') }
    workers.push(started)
    return started
  }

  const storages: StorageProcess[] = []
  const workers: WorkerProcess[] = []
  await Promise.all([
    ...Array.from({ length: options.storages ?? 2 }, () => startStorage()),
    ...Array.from({ length: options.workers ?? 1 }, () => startWorker()),
  ])

  const keyring = createKeyring({ ...(options.ring ?? { keys: [{ id: 'k1', key }] }), hashKey })
  const seals = { onUnopenable: () => undefined }
  const redis = redisFabric({
    realtimeUrl: realtime.url,
    queueUrl: queue.url,
    limits: {},
    clocks: createTimers(clockScale).all({ ...defaultClocks }),
    onError: () => undefined,
  })
  await redis.start()
  const own = openMongo({ uri: mongo.url, database })

  return {
    storages,
    workers,
    startStorage,
    startWorker,
    fabric: sealedFabric(redis, keyring, seals),
    conversations: sealedConversations(own.conversations, keyring, seals),
    leases: own.leases,
    sealed: own.conversations,
    env,
    disabledUsers: own.disabledUsers,
    async get(path, headers) {
      const [storage] = storages.filter(({ process: running }) => alive(running.pid))
      if (!storage) throw new Error('no replica of storage is left')
      const response = await fetch(new URL(path, storage.url), { headers })
      return { status: response.status, body: await response.json() }
    },
    async stop() {
      await redis.close()
      await own.close()
      await Promise.all(wires.map((wire) => wire.close()))
    },
  }
}

/** Whether a process is there; one that is stopped is. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
