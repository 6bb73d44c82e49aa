export type * from './api.ts'
export { createChat } from './chat.ts'
export { ChatError } from './errors.ts'
export type { Tuning } from './tuning.ts'
