import { Redis } from 'ioredis'

/** What Redis says that it has taken, in KiB: keys, channels and connections. */
export async function redisMemory(url: string): Promise<number> {
  const redis = new Redis(url)
  try {
    const [, bytes] = /^used_memory:(\d+)/m.exec(await redis.info('memory')) ?? []
    return Number(bytes) / 1_024
  } finally {
    redis.disconnect()
  }
}
