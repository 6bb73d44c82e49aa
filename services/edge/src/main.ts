#!/usr/bin/env node
import { DEFAULT_PARTITIONS, edgeId, modelList, randomId } from '@chatbox/core'
import { createKeyring } from '@chatbox/crypto'
import { createProcess, distributedFabric, type Process, parseRedisUrl } from '@chatbox/distributed'
import {
  configFromCommandLine,
  createOps,
  createVerifier,
  lifecycle,
  logConfigWarnings,
  type Part,
} from '@chatbox/runtime'
import { type EdgeConfig, edgeConfig, timeForSockets } from './config.ts'
import { defaultEdgeTimes } from './deps.ts'
import { createEdge } from './edge.ts'
import { edgeMetrics } from './metrics.ts'

/** An edge as a process of its own, over the Redis that it shares with the others. */
function partsOf(config: EdgeConfig, own: Process): Part[] {
  const { log, metrics, timers, structures } = own
  const keyring = createKeyring({ ...config.encryptionKeys, hashKey: config.hashKey })
  const redis = distributedFabric(own, {
    redis: config.redis,
    keyring,
    limits: {
      messages: perMinute(config.rates.messages),
      requests: perMinute(config.rates.requests),
      handshakes: perMinute(config.rates.handshakes),
    },
  })
  const ops = createOps({
    metrics,
    logger: log,
    checks: [...redis.checks, { name: 'edge', ping: (signal) => edge.check.ping(signal) }],
    timeoutMs: CHECK_MS,
    listen: { host: config.listen.host, port: config.opsPort },
  })
  const edge = createEdge(
    {
      edgeId: edgeId(randomId()),
      fabric: redis.fabric,
      models: modelList(config.models),
      verify: createVerifier({ ...config.jwt, logger: log.child({ part: 'tokens' }) }),
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
  return [ops, redis.part, edge]
}

/** So that the answer comes within 2 s however Redis hangs. */
const CHECK_MS = 1_500

const perMinute = (points: number) => ({ points, perMs: 60_000 })

async function main(): Promise<number> {
  const loaded = configFromCommandLine(edgeConfig(parseRedisUrl), {
    argv: process.argv.slice(2),
    env: process.env,
    flags: { port: 'PORT', host: 'HOST' },
    help: {
      call: 'edge',
      variables: [
        'REDIS_REALTIME_URL',
        'REDIS_QUEUE_URL',
        'JWT_SECRET',
        'ENCRYPTION_KEY',
        'HASH_KEY',
        'MODELS',
        'WS_ALLOWED_ORIGINS',
        'OPS_PORT',
      ],
      more: 'Every setting is in docs/configuration.md.',
    },
  })
  if ('exitCode' in loaded) return loaded.exitCode
  const { config, warnings } = loaded
  const own = createProcess('edge', config)
  logConfigWarnings(own.log, warnings)
  return lifecycle(partsOf(config, own), {
    logger: own.log,
    deadlineMs: config.shutdown.timeout,
    drainMs: config.shutdown.delay,
  }).run()
}

process.exit(await main())
