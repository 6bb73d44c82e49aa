import {
  clockScale,
  dataKeyTtl,
  encryptionKeys,
  group,
  hashKey,
  llmTimeouts,
  logLevel,
  modelSpecs,
  mongo,
  opsPort,
  providerConcurrency,
  type ReadMongoAddress,
  type ReadRedisAddress,
  redis,
  type Setting,
  shutdownTimeout,
  workerConcurrency,
} from '@chatbox/runtime'

/** Everything that a worker of its own can be told. */
export const workerConfig = (readRedisAddress: ReadRedisAddress, readMongoAddress: ReadMongoAddress) =>
  group({
    opsPort: opsPort(9090),
    logLevel: logLevel(),
    redis: redis(readRedisAddress),
    mongo: mongo(readMongoAddress),
    encryptionKeys: encryptionKeys(),
    hashKey: hashKey({ required: true }),
    dataKeyTtl: dataKeyTtl(),
    models: modelSpecs({ presets: false }),
    llm: llmTimeouts(),
    concurrency: workerConcurrency(),
    providerConcurrency: providerConcurrency(),
    shutdownTimeout: shutdownTimeout(),
    clockScale: clockScale(),
  })

export type WorkerConfig = ReturnType<typeof workerConfig> extends Setting<infer Value> ? Value : never
