#!/usr/bin/env node
import { DEFAULT_PARTITIONS, edgeId, modelList, randomId, Unavailable } from '@chatbox/core'
import { createKeyring, sealedFabric } from '@chatbox/crypto'
import { defaultClocks, parseRedisUrl, type RedisFabric, redisFabric } from '@chatbox/redis'
import {
  configFromCommandLine,
  createLogger,
  createMetrics,
  createOps,
  createStructures,
  createTimers,
  createVerifier,
  type Logger,
  lifecycle,
  logConfigWarnings,
  type Part,
} from '@chatbox/runtime'
import { type EdgeConfig, edgeConfig, timeForSockets } from './config.ts'
import { defaultEdgeTimes } from './deps.ts'
import { createEdge } from './edge.ts'
import { edgeMetrics } from './metrics.ts'

/** An edge as a process of its own, over the Redis that it shares with the others. */
function partsOf(config: EdgeConfig, log: Logger): Part[] {
  const timers = createTimers(config.clockScale)
  const metrics = createMetrics({ processMetrics: true })
  const structures = createStructures({ metrics, logger: log, timers })
  const counters = {
    unopenable: metrics.counter({
      name: 'unopenable_total',
      help: 'Sealed values that did not open, by what they were.',
      labels: ['place'],
    }),
    connections: metrics.counter({
      name: 'redis_connection_events_total',
      help: 'What happened to connections to Redis, by role: up, down, deaf (heard nothing any more), moved (another layout).',
      labels: ['role', 'what'],
    }),
    alone: metrics.counter({
      name: 'rate_limited_alone_total',
      help: 'Rate limits that were counted in this process alone, because Redis could not be asked.',
    }),
  }
  const keyring = createKeyring({ ...config.encryptionKeys, hashKey: config.hashKey })
  const redis = redisFabric({
    ...config.redis,
    clocks: timers.all({ ...defaultClocks }),
    limits: {
      messages: perMinute(config.rates.messages),
      requests: perMinute(config.rates.requests),
      handshakes: perMinute(config.rates.handshakes),
    },
    onConnection(role, what, reason) {
      counters.connections.inc({ role, what })
      if (what === 'up') log.info({ role }, 'connected to Redis')
      else log.warn({ role, what, err: reason }, 'a connection to Redis')
    },
    onLimitedAlone: () => counters.alone.inc(),
    onError: (err) => log.error({ err }, 'a listener of the fabric failed'),
  })
  const fabric = sealedFabric(redis, keyring, { onUnopenable: (place) => counters.unopenable.inc({ place }) })
  const ops = createOps({
    metrics,
    logger: log,
    checks: [
      ...(['realtime', 'queue'] as const).map((role) => ({ name: `redis_${role}`, ping: () => redis.ping(role) })),
      { name: 'edge', ping: (signal) => edge.check.ping(signal) },
    ],
    timeoutMs: CHECK_MS,
    listen: { host: config.listen.host, port: config.opsPort },
  })
  const { jwt } = config
  const edge = createEdge(
    {
      edgeId: edgeId(randomId()),
      fabric,
      models: modelList(config.models),
      verify: createVerifier({
        secret: jwt.secret,
        jwksUrl: jwt.jwksUrl,
        issuer: jwt.issuer,
        audience: jwt.audience,
        logger: log.child({ part: 'tokens' }),
      }),
      limits: config.limits,
      origins: { ...config.origins, ...(config.publicUrl && { publicUrl: config.publicUrl }) },
      // The same on every edge, so that a message sent again through another one makes no second session (R10).
      sessionSecret: keyring.tag('session ids', 'session-secret'),
      maxConnections: config.caps.perUser,
      partitions: DEFAULT_PARTITIONS,
      listen: config.listen,
      log: log.child({ part: 'edge' }),
      metrics: edgeMetrics(metrics),
    },
    {
      times: { ...timers.all({ ...defaultEdgeTimes }), drainMs: timeForSockets(config.shutdown) },
      structures,
      strangersPerAddress: config.caps.unauthenticatedPerAddress,
      trustedHops: config.trustedHops,
      handshakesPerSecond: config.handshakesPerSecond,
    },
  )
  for (const name of Object.keys(redis.sizes())) {
    structures.track({ name: `redis_${name}`, size: () => redis.sizes()[name] ?? 0, warnAbove: 50_000 })
  }
  return [ops, storesOf(redis, log), edge]
}

/** So that the answer comes within 2 s however Redis hangs. */
const CHECK_MS = 1_500

const perMinute = (points: number) => ({ points, perMs: 60_000 })

/** An edge that comes before its Redis starts without it, and is unready until it is there; both go on trying by themselves. */
function storesOf(redis: RedisFabric, log: Logger): Part {
  return {
    name: 'redis',
    async start() {
      try {
        await redis.start(FIRST_TRY_MS)
      } catch (err) {
        if (!(err instanceof Unavailable)) throw err
        log.warn({ err }, 'Redis cannot be reached yet')
      }
    },
    stop: () => redis.close(),
  }
}

const FIRST_TRY_MS = 2_000

async function main(): Promise<number> {
  const loaded = configFromCommandLine(edgeConfig(parseRedisUrl), {
    argv: process.argv.slice(2),
    env: process.env,
    flags: { port: 'PORT', host: 'HOST' },
  })
  if ('exitCode' in loaded) return loaded.exitCode
  const { config, warnings } = loaded
  const logger = createLogger({ service: 'edge', level: config.logLevel })
  logConfigWarnings(logger, warnings)
  return lifecycle(partsOf(config, logger), {
    logger,
    deadlineMs: config.shutdown.timeout,
    drainMs: config.shutdown.delay,
  }).run()
}

process.exit(await main())
