import { type RedisFabric, type RedisFabricOptions, redisFabric } from '@chatbox/redis'
import { type RedisOptions, type RunningServer, startRedis } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach } from 'vitest'

export const COMMAND_MS = 500

export const CLOCKS = {
  commandMs: COMMAND_MS,
  retryMs: 50,
  probeMs: 300,
  probeTimeoutMs: 3_000,
  lingerMs: 50,
  pollMs: 100,
  jobLockMs: 1_000,
  jobStallMs: 400,
}

/** Servers and fabrics of one test's own, for faults that no other test shall feel. To be called once in a file. */
export function stand() {
  const cleanups: (() => unknown)[] = []
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean()
  })
  return {
    later: (clean: () => unknown) => void cleanups.push(clean),
    async server(options: RedisOptions = {}): Promise<RunningServer> {
      const started = await startRedis(options)
      cleanups.push(() => started.stop())
      return started
    },
    async fabricAt(url: string, more: Partial<RedisFabricOptions> = {}): Promise<RedisFabric> {
      const { clocks, ...rest } = more
      const fabric = redisFabric({ realtimeUrl: url, queueUrl: url, clocks: { ...CLOCKS, ...clocks }, ...rest })
      cleanups.push(() => fabric.close())
      await fabric.start()
      return fabric
    },
    /** A connection of the test's own. */
    admin({ port }: RunningServer): Redis {
      const redis = new Redis({ host: '127.0.0.1', port })
      redis.on('error', () => undefined)
      cleanups.push(() => redis.disconnect())
      return redis
    },
  }
}

export function signalTo({ pid }: RunningServer, signal: NodeJS.Signals): void {
  if (pid === undefined) throw new Error('this Redis has no process here')
  process.kill(pid, signal)
}
