export { aliasOf } from './alias.ts'
export { defaultStorageTimes, type StorageDeps, type StoragePolicy, type StorageTimes } from './deps.ts'
export { type StorageMetrics, storageMetrics } from './metrics.ts'
export { createStorage, type Storage, type StorageOptions } from './storage.ts'
