import {
  clockScale,
  connectionCaps,
  encryptionKeys,
  group,
  handshakesPerSecond,
  hashKey,
  jwt,
  limits,
  listen,
  logLevel,
  models,
  opsPort,
  publicUrl,
  type ReadRedisAddress,
  rateLimits,
  redis,
  refuseLongModelIds,
  type Setting,
  type Shutdown,
  shutdown,
  trustedProxyHops,
  webSocketOrigins,
} from '@chatbox/runtime'

/** Requests that are under way, the last frames, leases given back, connections to Redis closed. */
const AFTER_SOCKETS_MS = 8_000

/** What is left of a stop for its sockets, when everything after them has had its time. */
export const timeForSockets = ({ timeout, delay }: Shutdown): number => Math.max(0, timeout - delay - AFTER_SOCKETS_MS)

/** Everything that an edge of its own can be told. */
export const edgeConfig = (readRedisAddress: ReadRedisAddress) =>
  group(
    {
      listen: listen({ host: '0.0.0.0', port: 8080 }),
      opsPort: opsPort(9090),
      publicUrl: publicUrl(),
      logLevel: logLevel(),
      redis: redis(readRedisAddress),
      jwt: jwt(),
      encryptionKeys: encryptionKeys(),
      hashKey: hashKey({ required: true }),
      origins: webSocketOrigins(),
      limits: limits(),
      models: models(),
      caps: connectionCaps(),
      rates: rateLimits(),
      trustedHops: trustedProxyHops(),
      handshakesPerSecond: handshakesPerSecond(),
      shutdown: shutdown({ timeout: '25s', delay: '5s' }),
      clockScale: clockScale(),
    },
    ({ listen, opsPort, publicUrl, origins, limits, models, shutdown }, source) => {
      if (opsPort !== 0 && opsPort === listen.port)
        source.fault('OPS_PORT', 'is the same as PORT; health and metrics need one of their own')
      refuseLongModelIds(models, limits.modelId, source)
      if (origins.check && origins.allowed.length === 0 && !publicUrl)
        source.warn('WS_ALLOWED_ORIGINS', 'is empty, and so is PUBLIC_URL: no page can open a socket')
      if (timeForSockets(shutdown) === 0)
        source.warn(
          'SHUTDOWN_TIMEOUT',
          `leaves no time after DRAIN_DELAY and ${AFTER_SOCKETS_MS / 1_000} s for the end: a stop sends everybody away at once`,
        )
    },
  )

export type EdgeConfig = ReturnType<typeof edgeConfig> extends Setting<infer Value> ? Value : never
