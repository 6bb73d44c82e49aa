import {
  clockScale,
  corsOrigins,
  dataKeyTtl,
  encryptionKeys,
  group,
  hashKey,
  jwt,
  keeping,
  listen,
  llmTimeouts,
  logLevel,
  models,
  mongo,
  opsPort,
  type ReadMongoAddress,
  type ReadRedisAddress,
  redis,
  restLimit,
  rotationRate,
  type Setting,
  sharedLimit,
  shutdown,
  trustedProxyHops,
} from '@chatbox/runtime'

/** Everything that storage as a process of its own can be told. */
export const storageConfig = (readRedisAddress: ReadRedisAddress, readMongoAddress: ReadMongoAddress) =>
  group({
    listen: listen({ host: '0.0.0.0', port: 8081 }),
    opsPort: opsPort(9090),
    logLevel: logLevel(),
    redis: redis(readRedisAddress),
    mongo: mongo(readMongoAddress),
    jwt: jwt(),
    encryptionKeys: encryptionKeys(),
    hashKey: hashKey({ required: true }),
    dataKeyTtl: dataKeyTtl(),
    corsOrigins: corsOrigins(),
    trustedHops: trustedProxyHops(),
    models: models(),
    llm: llmTimeouts(),
    restPerMinute: restLimit(),
    sharedPerMinute: sharedLimit(),
    keeping: keeping(),
    shutdown: shutdown({ timeout: '25s', delay: '5s' }),
    clockScale: clockScale(),
  })

export type StorageConfig = ReturnType<typeof storageConfig> extends Setting<infer Value> ? Value : never

/** What a rotation of keys needs to know. */
export const rotationConfig = (readMongoAddress: ReadMongoAddress) =>
  group({
    mongo: mongo(readMongoAddress),
    encryptionKeys: encryptionKeys(),
    hashKey: hashKey({ required: true }),
    dataKeyTtl: dataKeyTtl(),
    rate: rotationRate(),
    opsPort: opsPort(9090),
    logLevel: logLevel(),
    clockScale: clockScale(),
  })

/** What the migration needs to know, and no more: it may run where the other secrets are not. */
export const migrationConfig = (readMongoAddress: ReadMongoAddress) =>
  group({ mongo: mongo(readMongoAddress), logLevel: logLevel() })
