export { mountChat } from './mount.ts'
export type { MountOptions } from './options.ts'
