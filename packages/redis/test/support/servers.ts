import { available, startRedis, startRedisCluster } from '@chatbox/testkit/servers'
import { afterAll, beforeAll, describe } from 'vitest'

/** A Redis of a test file's own. */
export interface TestRedis {
  readonly url: string
  /** SIGKILL, and back again where it was with nothing in it. */
  restart(): Promise<void>
  readonly restartsSlowly?: boolean
  stop(): Promise<void>
}

async function single(): Promise<TestRedis> {
  let server = await startRedis()
  return {
    url: server.url,
    async restart() {
      const { port, dir } = server
      await server.kill()
      server = await startRedis({ port, dir })
    },
    stop: () => server.stop(),
  }
}

/** Its nodes take a while to trust one another again. */
async function cluster(): Promise<TestRedis> {
  const { url, restart, stop } = await startRedisCluster()
  return { url, restart, stop, restartsSlowly: true }
}

const SHAPES = { 'one Redis': single, 'a Redis Cluster': cluster }

/** The same suite on each shape of Redis. */
export async function onEachRedis(suite: (name: string, redis: () => TestRedis) => void): Promise<void> {
  const there = await available('redis')
  for (const [name, start] of Object.entries(SHAPES)) {
    describe.skipIf(!there)(name, () => {
      let redis: TestRedis | undefined
      beforeAll(async () => {
        redis = await start()
      })
      afterAll(() => redis?.stop())
      suite(name, () => {
        if (!redis) throw new Error('the Redis of this suite has not started')
        return redis
      })
    })
  }
}
