export { parseRedisUrl, type RedisAddress } from './connection/address.ts'
export { type RedisFabric, redisFabric } from './fabric.ts'
export type { RedisBounds, RedisClocks, RedisFabricOptions, StoreRole } from './options.ts'
export { defaultClocks } from './options.ts'
