import { join } from 'node:path'
import { DEFAULT_PARTITIONS, defaultAnswerLimits, edgeId, modelList, randomId, replicaId } from '@chatbox/core'
import { createKeyring, sealedConversations, sealedFabric } from '@chatbox/crypto'
import { createEdge, defaultEdgeTimes, edgeMetrics } from '@chatbox/edge'
import { defaultClocks, type MemoryStructure, memoryFabric } from '@chatbox/memory'
import {
  createMetrics,
  createOps,
  createStructures,
  createTimers,
  createVerifier,
  type Logger,
  type Part,
} from '@chatbox/runtime'
import { openSqlite } from '@chatbox/sqlite'
import { aliasOf, createStorage, defaultStorageTimes, storageMetrics } from '@chatbox/storage'
import { BREAKER_OPEN_MS, createModels, createWorker, defaultWorkerTimes, workerMetrics } from '@chatbox/worker'
import type { EmbeddedConfig } from './config.ts'
import { demoTokens } from './demo-token.ts'
import { http } from './http.ts'
import { keys } from './keys.ts'
import { isLoopback, isWildcard, ownHost } from './own-host.ts'
import { page } from './page.ts'
import { DATABASE, openDataFolder } from './secrets.ts'

export interface Embedded {
  /** In the order they start; they stop in reverse. */
  readonly parts: readonly Part[]
  /** Where people reach it, once it has started. */
  address(): string
  /** Whether our own page gets tokens for the asking; every other page brings its own. */
  readonly demo: boolean
}

/** The whole system in one process: the services that run anywhere, on what needs nothing to be installed. */
export async function createEmbedded(config: EmbeddedConfig, log: Logger): Promise<Embedded> {
  const secrets = openDataFolder(config.dataDir, config.encryptionKeys.keys.length > 0)
  const timers = createTimers(config.clockScale)
  const metrics = createMetrics({ processMetrics: true })
  const structures = createStructures({ metrics, logger: log, timers })
  const unopenable = metrics.counter({
    name: 'unopenable_total',
    help: 'Sealed values that did not open, by what they were.',
    labels: ['place'],
  })
  const seals = { onUnopenable: (place: string) => unopenable.inc({ place }) }

  const given = config.encryptionKeys
  const encryption = given.keys.length > 0 ? given : { keys: [{ id: 'k1', key: secrets.encryptionKey }] }
  const keyring = createKeyring({ ...encryption, ...(config.hashKey && { hashKey: config.hashKey }) })
  const memory = memoryFabric({
    // An end can't get lost on its way within one process, so the record of one that was written need not be kept for long.
    clocks: { ...timers.all({ ...defaultClocks }), endedMs: timers.ms(ENDED_MS) },
    limits: {
      messages: perMinute(config.rates.messages),
      requests: perMinute(config.rates.requests),
      handshakes: perMinute(config.rates.handshakes),
      rest: perMinute(config.restPerMinute),
      shared: perMinute(config.sharedPerMinute),
    },
    onError: (err) => log.error({ err }, 'a listener of the fabric failed'),
  })
  const fabric = sealedFabric(memory, keyring, seals)
  const database = await openSqlite({ file: join(config.dataDir, DATABASE) })
  const conversations = sealedConversations(database.conversations, keyring, seals)

  const { jwt } = config
  const jwtSecret = jwt.jwksUrl ? undefined : (jwt.secret ?? secrets.jwtSecret)
  const verify = createVerifier({
    secret: jwtSecret,
    jwksUrl: jwt.jwksUrl,
    issuer: jwt.issuer,
    audience: jwt.audience,
    logger: log.child({ part: 'tokens' }),
  })
  const workerMeasures = workerMetrics(metrics)
  const { privateHosts, defaultId } = config.models
  const models = await createModels(config.models.models, {
    metrics: workerMeasures,
    privateHosts,
    concurrency: config.providerConcurrency,
    pace: config.clockScale,
    openMs: timers.ms(BREAKER_OPEN_MS),
    log: log.child({ part: 'worker' }),
  })
  const list = modelList(config.models.models.map(({ id, label }) => ({ id, label, default: id === defaultId })))
  const answerLimits = { ...defaultAnswerLimits, ...scaledLimits(config) }
  const ops = createOps({
    metrics,
    logger: log,
    checks: [
      { name: 'database', ping: () => conversations.ping() },
      { name: 'edge', ping: (signal) => edge.check.ping(signal) },
    ],
    ...(config.opsPort !== undefined && { listen: { host: config.listen.host, port: config.opsPort } }),
  })
  const own = ownHost(config.listen.host, config.publicUrl)
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
      models: list,
      answerLimits,
      verify,
      requestSecret: keyring.tag('requests', 'rest-secret'),
      log: log.child({ part: 'storage' }),
      metrics: storageMetrics(metrics),
    },
    // Nobody else can have the file, so a lease need not be renewed often: each renewal is a write to the disk.
    {
      times: { ...timers.all({ ...defaultStorageTimes }), leaseMs: LEASE_MS },
      policy: config.keeping,
      structures,
      rest: { corsOrigins: config.corsOrigins },
    },
  )

  const worker = createWorker(
    {
      replica,
      fabric,
      conversations,
      models: models.byId,
      answerLimits,
      log: log.child({ part: 'worker' }),
      metrics: workerMeasures,
    },
    { times: { ...timers.all({ ...defaultWorkerTimes }), ...workerTimes(config) } },
  )

  // Tokens for the asking are for the person at this machine, so only while nobody else can ask.
  const demo =
    isLoopback(config.listen.host) && jwtSecret !== undefined && !jwt.secret ? demoTokens(jwtSecret) : undefined
  const edge = createEdge(
    {
      edgeId: edgeId(randomId()),
      fabric,
      models: list,
      verify,
      limits: config.limits,
      origins: { ...config.origins, ...(config.publicUrl && { publicUrl: config.publicUrl }), ownHost: own },
      sessionSecret: secrets.sessionSecret,
      maxConnections: config.caps.perUser,
      partitions: DEFAULT_PARTITIONS,
      listen: config.listen,
      log: log.child({ part: 'edge' }),
      metrics: edgeMetrics(metrics),
    },
    {
      times: timers.all({ ...defaultEdgeTimes }),
      structures,
      strangersPerAddress: config.caps.unauthenticatedPerAddress,
      trustedHops: config.trustedHops,
      handshakesPerSecond: config.handshakesPerSecond,
      http: http({
        ownHost: own,
        page: page(new URL('../dist/page/', import.meta.url)),
        demoTokens: demo,
        ops: config.opsPort === undefined ? ops : undefined,
        rest: storage.http,
        log,
      }),
    },
  )

  for (const [structure, warnAbove] of Object.entries(WARN_ABOVE)) {
    structures.track({
      name: `memory_${structure}`,
      size: () => memory.sizes()[structure as MemoryStructure],
      warnAbove,
    })
  }

  structures.track({ name: 'keys_users', size: () => fabric.sizes().users, warnAbove: 18_000 })
  structures.track({ name: 'keys_others', size: () => fabric.sizes().others, warnAbove: 1_500 })
  structures.track({ name: 'keys_sessions', size: () => conversations.keysAtHand, warnAbove: 9_000 })

  const stores: Part = {
    name: 'stores',
    async start() {
      const { crashed } = await database.takeOver()
      if (crashed) log.warn('the process before this one did not stop by itself; what it left is gone on with')
    },
    async stop() {
      await structures.stop()
      await models.close()
      await memory.close()
      await conversations.close()
      await database.close()
    },
  }

  return {
    parts: [ops, stores, keys({ conversations: database.conversations, keyring, log }), storage, worker, edge],
    demo: demo !== undefined,
    address: () => config.publicUrl?.href ?? `http://${shownHost(config.listen.host)}:${edge.port}/`,
  }
}

const ENDED_MS = 60_000

const LEASE_MS = 3_600_000

const WARN_ABOVE: Readonly<Record<MemoryStructure, number>> = {
  users: 50_000,
  answers: 10_000,
  subscriptions: 15_000,
  entries: 10_000,
  outcomes: 100_000,
  dead_letters: 1_000,
  jobs: 10_000,
  connections: 15_000,
  edges: 1,
  limit_keys: 50_000,
}

const perMinute = (points: number) => ({ points, perMs: 60_000 })

/** Where a browser on this machine finds it: a wildcard is no address to open. */
const shownHost = (host: string): string => {
  if (isWildcard(host)) return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

const scaledLimits = ({ llm, clockScale }: EmbeddedConfig) => ({
  maxQueueMs: llm.queue,
  totalMs: llm.total,
  aliveMs: defaultAnswerLimits.aliveMs * clockScale,
})

/** Whoever looked on has gone by the time that workers stop here, so little is finished and the rest is done again at the next start. */
const FINISH_MS = 1_000

const workerTimes = ({ llm }: EmbeddedConfig) => ({
  firstTokenMs: llm.firstToken,
  idleMs: llm.idle,
  totalMs: llm.total,
  finishMs: FINISH_MS,
})
