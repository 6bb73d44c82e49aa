import { Redis } from 'ioredis'
import { expect } from 'vitest'
import { later, ownRedis, restarted, scene } from './scene.ts'

export interface EmptiedOptions {
  readonly clockScale: number
  /** Within which all connections must be in the registry again, from when Redis answers. */
  readonly withinMs: number
}

/** Kills the Redis of three edges, brings it back empty, and waits until the edges have filled the registry again (S8). */
export async function emptyRedis({ clockScale, withinMs }: EmptiedOptions): Promise<void> {
  const redis = await ownRedis()
  const { roamers } = await scene({ redisUrl: redis.url, clockScale })
  const connected = async (admin: Redis) => {
    const keys = await admin.keys('*:connections')
    const rows = await Promise.all(keys.map((key) => admin.hlen(key)))
    return rows.reduce((sum, n) => sum + n, 0)
  }
  const admin = new Redis({ host: '127.0.0.1', port: redis.port, lazyConnect: true })
  later(async () => admin.disconnect())
  expect(await connected(admin)).toBe(roamers.length)
  await redis.kill()
  await restarted(redis)
  await expect.poll(() => connected(admin), { timeout: withinMs, interval: 20 }).toBe(roamers.length)
  expect(roamers.flatMap(({ ends }) => ends)).toEqual([])
}
