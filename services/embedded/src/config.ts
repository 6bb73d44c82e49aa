import {
  clockScale,
  connectionCaps,
  corsOrigins,
  dataDir,
  encryptionKeys,
  group,
  handshakesPerSecond,
  hashKey,
  jwt,
  keeping,
  limits,
  listen,
  llmTimeouts,
  logLevel,
  opsPort,
  publicUrl,
  rateLimits,
  restLimit,
  type Setting,
  sharedLimit,
  shutdown,
  trustedProxyHops,
  webSocketOrigins,
} from '@chatbox/runtime'

export const DEFAULT_PORT = 8080

/** Everything the embedded shape can be told; nothing of it must be. */
export const embeddedConfig = group({
  listen: listen({ port: DEFAULT_PORT }),
  opsPort: opsPort(),
  publicUrl: publicUrl(),
  dataDir: dataDir('.chatbox'),
  logLevel: logLevel(),
  jwt: jwt({ required: false }),
  encryptionKeys: encryptionKeys({ required: false }),
  hashKey: hashKey(),
  origins: webSocketOrigins(),
  corsOrigins: corsOrigins(),
  limits: limits(),
  llm: llmTimeouts(),
  shutdown: shutdown({ timeout: '10s', delay: '0s' }),
  clockScale: clockScale(),
  trustedHops: trustedProxyHops(),
  handshakesPerSecond: handshakesPerSecond(),
  caps: connectionCaps(),
  rates: rateLimits(),
  restPerMinute: restLimit(),
  keeping: keeping(),
  sharedPerMinute: sharedLimit(),
})

export type EmbeddedConfig = typeof embeddedConfig extends Setting<infer Value> ? Value : never
