#!/usr/bin/env node
import { defaultAnswerLimits, modelList, randomId, replicaId } from '@chatbox/core'
import { createKeyring } from '@chatbox/crypto'
import {
  createProcess,
  distributedDatabase,
  distributedFabric,
  parseRedisUrl,
  readMongoUri,
} from '@chatbox/distributed'
import {
  configFromCommandLine,
  createOps,
  createVerifier,
  lifecycle,
  logConfigWarnings,
  type Part,
} from '@chatbox/runtime'
import { aliasOf } from './alias.ts'
import { type StorageConfig, storageConfig } from './config.ts'
import { defaultStorageTimes } from './deps.ts'
import { listenHttp } from './http/listen.ts'
import { storageMetrics } from './metrics.ts'
import { createStorage } from './storage.ts'

/** Storage as a process of its own: any number of replicas over one MongoDB and one Redis. */
function partsOf(config: StorageConfig, process: ReturnType<typeof createProcess>): Part[] {
  const { log, metrics, timers, structures } = process
  const keyring = createKeyring({ ...config.encryptionKeys, hashKey: config.hashKey })
  const database = distributedDatabase(process, { mongo: config.mongo, keyring, keyTtlMs: config.dataKeyTtl })
  const redis = distributedFabric(process, {
    redis: config.redis,
    keyring,
    limits: {
      rest: { points: config.restPerMinute, perMs: 60_000 },
      shared: { points: config.sharedPerMinute, perMs: 60_000 },
    },
  })
  const { jwt } = config
  const replica = replicaId(randomId())
  const storage = createStorage(
    {
      replica,
      fabric: redis.fabric,
      conversations: database.conversations,
      leases: database.leases,
      disabledUsers: database.disabledUsers,
      audit: database.audit,
      aliasOf: aliasOf(keyring),
      models: modelList(config.models),
      answerLimits: {
        ...defaultAnswerLimits,
        maxQueueMs: config.llm.queue,
        totalMs: config.llm.total,
        aliveMs: timers.ms(defaultAnswerLimits.aliveMs),
      },
      verify: createVerifier({ ...jwt, logger: log.child({ part: 'tokens' }) }),
      requestSecret: keyring.tag('requests', 'rest-secret'),
      log: log.child({ part: 'storage', replica }),
      metrics: storageMetrics(metrics),
    },
    {
      times: timers.all({ ...defaultStorageTimes }),
      policy: config.keeping,
      rest: { corsOrigins: config.corsOrigins, trustedHops: config.trustedHops },
      structures,
    },
  )
  const ops = createOps({
    metrics,
    logger: log,
    checks: [database.check, ...redis.checks],
    timeoutMs: CHECK_MS,
    listen: { host: config.listen.host, port: config.opsPort },
  })
  return [ops, redis.part, database.part, storage, listenHttp(storage.http, config.listen)]
}

/** So that the answer comes within 2 s however a store hangs. */
const CHECK_MS = 1_500

async function main(): Promise<number> {
  const loaded = configFromCommandLine(storageConfig(parseRedisUrl, readMongoUri), {
    argv: process.argv.slice(2),
    env: process.env,
    flags: { port: 'PORT', host: 'HOST' },
    help: {
      call: 'storage',
      variables: [
        'REDIS_REALTIME_URL',
        'REDIS_QUEUE_URL',
        'MONGODB_URI',
        'JWT_SECRET',
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
  const own = createProcess('storage', config)
  logConfigWarnings(own.log, warnings)
  return lifecycle(partsOf(config, own), {
    logger: own.log,
    deadlineMs: config.shutdown.timeout,
    drainMs: config.shutdown.delay,
  }).run()
}

process.exit(await main())
