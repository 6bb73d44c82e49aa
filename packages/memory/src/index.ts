export { type MemoryFabric, memoryFabric, type StoreRole } from './fabric.ts'
export { createLimiter, type MemoryLimiter } from './limiter.ts'
export {
  defaultBounds,
  defaultClocks,
  type MemoryBounds,
  type MemoryClocks,
  type MemoryOptions,
  type MemorySizes,
  type MemoryStructure,
} from './options.ts'
