import {
  clockScale,
  codec,
  dataDir,
  encryptionKeys,
  group,
  hashKey,
  jwt,
  limits,
  listen,
  llmTimeouts,
  logLevel,
  opsPort,
  publicUrl,
  type Setting,
  setting,
  shutdownTimeout,
  webSocketOrigins,
} from '@chatbox/runtime'

export const DEFAULT_PORT = 8080

const count = (name: string, about: string, fallback: number): Setting<number> =>
  setting(name, codec.integer({ min: 1, max: 1_000_000 }), { about, default: `${fallback}` })

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
  limits: limits(),
  llm: llmTimeouts(),
  shutdownTimeout: shutdownTimeout('10s'),
  clockScale: clockScale(),
  maxConnections: count('MAX_CONNECTIONS_PER_USER', 'Connections that one user may have at once.', 10),
  messagesPerMinute: count('RATE_LIMIT_MESSAGES', 'Messages a minute per user.', 60),
  requestsPerMinute: count(
    'RATE_LIMIT_REQUESTS',
    'Frames a minute per user that ask for something else than a message.',
    300,
  ),
  handshakesPerMinute: count('RATE_LIMIT_HANDSHAKES', 'Failed handshakes a minute per address.', 30),
  restPerMinute: count('RATE_LIMIT_REST', 'Calls over REST a minute per user.', 120),
})

export type EmbeddedConfig = typeof embeddedConfig extends Setting<infer Value> ? Value : never
