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
  rateLimits,
  redis,
  type Setting,
  shutdown,
  trustedProxyHops,
  webSocketOrigins,
} from '@chatbox/runtime'

/** Everything that an edge of its own can be told. */
export const edgeConfig = group({
  listen: listen({ host: '0.0.0.0', port: 8080 }),
  opsPort: opsPort(9090),
  publicUrl: publicUrl(),
  logLevel: logLevel(),
  redis: redis(),
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
})

export type EdgeConfig = typeof edgeConfig extends Setting<infer Value> ? Value : never
