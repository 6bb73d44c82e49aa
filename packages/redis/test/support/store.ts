import { randomUUID } from 'node:crypto'
import { type RedisFabric, type RedisFabricOptions, redisFabric } from '@chatbox/redis'
import type { ContractSettings, StoreControls } from '@chatbox/testkit/contracts'
import type { TestRedis } from './servers.ts'

/** A fabric of a test's own on the Redis of its file, as the contract suites want it. */
export const storeOn =
  (redis: () => TestRedis, more: Pick<RedisFabricOptions, 'prefix' | 'onError'> = {}) =>
  async (settings: ContractSettings): Promise<RedisFabric & StoreControls> => {
    const { limits, logEvents, answerBytes, partitionEntries, deadLetters, ...clocks } = settings
    const { url, restart, restartsSlowly = false } = redis()
    const fabric = redisFabric({
      realtimeUrl: url,
      queueUrl: url,
      prefix: `t${randomUUID().slice(0, 8)}`,
      clocks: {
        commandMs: 1_000,
        retryMs: 100,
        probeMs: 500,
        probeTimeoutMs: 3_000,
        lingerMs: 50,
        layoutMs: 500,
        pollMs: 100,
        edgesFreshMs: 50,
        jobLockMs: 1_000,
        jobStallMs: 400,
        compareMs: 3_000,
        ...clocks,
        // What is in use must be touched well before it runs out.
        ...(clocks.idleMs !== undefined && { compareMs: clocks.idleMs / 4 }),
      },
      bounds: {
        ...(logEvents !== undefined && { logEvents }),
        ...(answerBytes !== undefined && { answerBytes }),
        ...(partitionEntries !== undefined && { partitionEntries }),
        ...(deadLetters !== undefined && { deadLetters }),
      },
      ...(limits && { limits }),
      ...more,
    })
    await fabric.start()
    return {
      ...fabric,
      emptiesSlowly: restartsSlowly,
      async empty() {
        await restart()
        await fabric.start()
      },
    }
  }
