#!/usr/bin/env node
import { defaultAnswerLimits, randomId, replicaId } from '@chatbox/core'
import { createKeyring } from '@chatbox/crypto'
import {
  createProcess,
  distributedDatabase,
  distributedFabric,
  parseRedisUrl,
  readMongoUri,
} from '@chatbox/distributed'
import { configFromCommandLine, createOps, lifecycle, logConfigWarnings, type Part } from '@chatbox/runtime'
import { type WorkerConfig, workerConfig } from './config.ts'
import { defaultWorkerTimes } from './deps.ts'
import { workerMetrics } from './metrics.ts'
import { BREAKER_OPEN_MS, createModels } from './models.ts'
import { createWorker } from './worker.ts'

/** A worker as a process of its own; any number of them share the jobs. */
async function partsOf(config: WorkerConfig, process: ReturnType<typeof createProcess>): Promise<Part[]> {
  const { log, metrics, timers, structures } = process
  const keyring = createKeyring({ ...config.encryptionKeys, hashKey: config.hashKey })
  const database = distributedDatabase(process, { mongo: config.mongo, keyring, keyTtlMs: config.dataKeyTtl })
  const redis = distributedFabric(process, { redis: config.redis, keyring })
  const { llm } = config
  const measured = workerMetrics(metrics)
  const models = await createModels(config.models.models, {
    metrics: measured,
    privateHosts: config.models.privateHosts,
    concurrency: config.providerConcurrency,
    pace: config.clockScale,
    openMs: timers.ms(BREAKER_OPEN_MS),
    log: log.child({ part: 'worker' }),
  })
  const worker = createWorker(
    {
      replica: replicaId(randomId()),
      fabric: redis.fabric,
      conversations: database.conversations,
      models: models.byId,
      answerLimits: {
        ...defaultAnswerLimits,
        maxQueueMs: llm.queue,
        totalMs: llm.total,
        aliveMs: timers.ms(defaultAnswerLimits.aliveMs),
      },
      log: log.child({ part: 'worker' }),
      metrics: measured,
    },
    {
      times: {
        ...timers.all({ ...defaultWorkerTimes }),
        firstTokenMs: llm.firstToken,
        idleMs: llm.idle,
        totalMs: llm.total,
        finishMs: Math.max(0, config.shutdownTimeout - AFTER_ANSWERS_MS),
      },
      bounds: { concurrency: config.concurrency },
      structures,
    },
  )
  const ops = createOps({
    metrics,
    logger: log,
    checks: [database.check, ...redis.checks],
    timeoutMs: CHECK_MS,
    listen: { host: '0.0.0.0', port: config.opsPort },
  })
  const providers: Part = { name: 'providers', start: async () => undefined, stop: () => models.close() }
  return [ops, redis.part, database.part, providers, worker]
}

/** What is left of a stop when the answers have had their time: hand-backs, and connections closed. */
const AFTER_ANSWERS_MS = 5_000

/** So that the answer comes within 2 s however a store hangs. */
const CHECK_MS = 1_500

async function main(): Promise<number> {
  const loaded = configFromCommandLine(workerConfig(parseRedisUrl, readMongoUri), {
    argv: process.argv.slice(2),
    env: process.env,
    flags: {},
    help: {
      call: 'worker',
      variables: [
        'REDIS_REALTIME_URL',
        'REDIS_QUEUE_URL',
        'MONGODB_URI',
        'ENCRYPTION_KEY',
        'HASH_KEY',
        'MODELS',
        'OPS_PORT',
      ],
      more: 'Every setting is in docs/configuration.md.',
    },
  })
  if ('exitCode' in loaded) return loaded.exitCode
  const { config, warnings } = loaded
  const own = createProcess('worker', config)
  logConfigWarnings(own.log, warnings)
  return lifecycle(await partsOf(config, own), { logger: own.log, deadlineMs: config.shutdownTimeout }).run()
}

process.exit(await main())
