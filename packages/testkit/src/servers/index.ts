import { CHROMIUM_ARGS } from './chromium.ts'
import { runMongo } from './mongo.ts'
import { type RedisOptions, runRedis } from './redis.ts'
import { type RedisCluster, type RedisClusterOptions, runRedisCluster } from './redis-cluster.ts'
import { type RedisSentinel, type RedisSentinelOptions, runRedisSentinel } from './redis-sentinel.ts'
import type { RunningServer, TakenUp } from './running.ts'
import { needed } from './sources.ts'

export type { RedisOptions } from './redis.ts'
export type { RedisCluster, RedisClusterOptions } from './redis-cluster.ts'
export type { RedisSentinel, RedisSentinelOptions } from './redis-sentinel.ts'
export type { RunningServer, TakenUp } from './running.ts'
export { available, type ServerName } from './sources.ts'

/** A Redis of one's own on a free port; ask `available('redis')` first. */
export async function startRedis(options?: RedisOptions): Promise<RunningServer> {
  return runRedis(await needed('redis'), options)
}

/** A Redis Cluster of one's own, of local servers; ask `available('redis')` first. */
export async function startRedisCluster(options?: RedisClusterOptions): Promise<RedisCluster> {
  return runRedisCluster(await needed('redis'), options)
}

/** A master, a replica and a sentinel of one's own; ask `available('redis')` first. */
export async function startRedisSentinel(options?: RedisSentinelOptions): Promise<RedisSentinel> {
  return runRedisSentinel(await needed('redis'), options)
}

/** A MongoDB, or what speaks its protocol, of one's own on a free port; ask `available('mongo')` first. */
export async function startMongo(options?: TakenUp): Promise<RunningServer> {
  return runMongo(await needed('mongo'), options)
}

/** What playwright-core's `chromium.launch()` takes; ask `available('chromium')` first. */
export async function chromiumLaunch(): Promise<{ executablePath: string; args: string[] }> {
  const { path } = await needed('chromium')
  return { executablePath: path, args: [...CHROMIUM_ARGS] }
}
