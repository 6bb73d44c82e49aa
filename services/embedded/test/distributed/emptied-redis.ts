import type { RunningServer } from '@chatbox/testkit/servers'
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
  const rows = async (admin: Redis) => {
    const keys = await admin.keys('*:connections')
    const counts = await Promise.all(keys.map((key) => admin.hlen(key)))
    return counts.reduce((sum, n) => sum + n, 0)
  }
  const before = adminOf(redis)
  expect(await rows(before)).toBe(roamers.length)
  before.disconnect()
  await redis.kill()
  const admin = adminOf(await restarted(redis))
  await expect.poll(() => rows(admin), { timeout: withinMs, interval: 20 }).toBe(roamers.length)
  expect(roamers.flatMap(({ ends }) => ends)).toEqual([])
}

function adminOf({ port }: RunningServer): Redis {
  const admin = new Redis({ host: '127.0.0.1', port })
  later(async () => admin.disconnect())
  return admin
}
