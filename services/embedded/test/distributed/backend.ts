import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Answers,
  type Conversations,
  type DisabledUsers,
  defaultAnswerLimits,
  type Fabric,
  modelList,
  randomId,
  replicaId,
} from '@chatbox/core'
import { createKeyring, sealedConversations, sealedFabric } from '@chatbox/crypto'
import { defaultClocks, redisFabric } from '@chatbox/redis'
import {
  createLogger,
  createMetrics,
  createTimers,
  createVerifier,
  type Lifecycle,
  type Logger,
  lifecycle,
  loadConfig,
  type Metrics,
  modelSpecs,
} from '@chatbox/runtime'
import { openSqlite } from '@chatbox/sqlite'
import { aliasOf, createStorage, defaultStorageTimes, storageMetrics } from '@chatbox/storage'
import { temporaryFolder } from '@chatbox/testkit/folders'
import {
  createModels,
  createWorker,
  defaultWorkerTimes,
  type Model,
  type ModelsOptions,
  type WorkerBounds,
  type WorkerTimes,
  workerMetrics,
} from '@chatbox/worker'

/** Storage and worker, as far as a test has to do with them. */
export interface Backend {
  readonly fabric: Fabric
  readonly conversations: Conversations
  readonly disabledUsers: DisabledUsers
  /** Over REST. */
  get(path: string, headers: Record<string, string>): Promise<{ status: number; body: unknown }>
  stop(): Promise<void>
}

export interface BackendSecrets {
  readonly secret: string
  readonly key: Buffer
  readonly clockScale: number
}

export interface InProcessOptions {
  /** MODELS, and the keys that they name. Without it the demo models. */
  readonly env?: NodeJS.ProcessEnv
  readonly models?: Partial<ModelsOptions>
  readonly workerTimes?: Partial<WorkerTimes>
  readonly workerBounds?: Partial<WorkerBounds>
  readonly log?: Logger
  readonly metrics?: Metrics
  /** Puts something around each model of the worker's. */
  readonly aroundModel?: (model: Model) => Model
  /** The same for its answers' store. */
  readonly aroundAnswers?: (answers: Answers) => Answers
}

/** Both in this process, over one Redis and a database file. */
export async function inProcess(
  url: string,
  { secret, key, clockScale }: BackendSecrets,
  options: InProcessOptions = {},
): Promise<Backend> {
  const { metrics = createMetrics(), log = createLogger({ service: 'backend', level: 'silent' }) } = options
  const { aroundModel = (model) => model, aroundAnswers = (answers) => answers } = options
  const folder = temporaryFolder('distributed')
  const timers = createTimers(clockScale)
  const keyring = createKeyring({ keys: [{ id: 'k1', key }] })
  const seals = { onUnopenable: () => undefined }
  const redis = redisFabric({
    realtimeUrl: url,
    queueUrl: url,
    limits: { rest: { points: 1_000_000, perMs: 60_000 } },
    clocks: timers.all({ ...defaultClocks }),
    onError: () => undefined,
  })
  await redis.start()
  const fabric = sealedFabric(redis, keyring, seals)
  const database = await openSqlite({ file: join(folder, 'chat.db') })
  const conversations = sealedConversations(database.conversations, keyring, seals)
  const specs = loadConfig(modelSpecs({ presets: false }), options.env ?? {}).config.models
  const measured = workerMetrics(metrics)
  const models = await createModels(specs, { metrics: measured, pace: clockScale, ...options.models })
  const answerLimits = { ...defaultAnswerLimits, aliveMs: defaultAnswerLimits.aliveMs * clockScale }
  const replica = replicaId(randomId())
  const storage = createStorage(
    {
      replica,
      fabric,
      conversations,
      leases: database.leases,
      disabledUsers: database.disabledUsers,
      audit: database.audit,
      aliasOf: aliasOf(keyring),
      models: modelList(specs),
      answerLimits,
      verify: createVerifier({ secret }),
      requestSecret: secret,
      log,
      metrics: storageMetrics(metrics),
    },
    { times: timers.all({ ...defaultStorageTimes }) },
  )
  const worker = createWorker(
    {
      replica,
      fabric: { ...fabric, answers: aroundAnswers(fabric.answers) },
      conversations,
      models: new Map([...models.byId].map(([id, model]) => [id, aroundModel(model)])),
      answerLimits,
      log,
      metrics: measured,
    },
    { times: { ...timers.all({ ...defaultWorkerTimes }), ...options.workerTimes }, ...bounds(options) },
  )
  const running: Lifecycle = lifecycle([storage, worker], { logger: log, deadlineMs: 5_000 })
  await running.start()
  return {
    fabric,
    conversations,
    disabledUsers: database.disabledUsers,
    async get(path, headers) {
      const response = await storage.http.inject({ method: 'GET', url: path, headers })
      return { status: response.statusCode, body: response.json() as unknown }
    },
    async stop() {
      await running.stop()
      await models.close()
      await redis.close()
      await conversations.close()
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const bounds = ({ workerBounds }: InProcessOptions) => (workerBounds ? { bounds: workerBounds } : {})
