export { parseRedisUrl } from '@chatbox/redis'
export { type DistributedDatabase, distributedDatabase } from './database.ts'
export { type DistributedFabric, distributedFabric, type FabricOptions } from './fabric.ts'
export { createProcess, type Process } from './process.ts'
