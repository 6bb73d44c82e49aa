export type { Build, Built, ContractSettings, StoreControls } from './adapter.ts'
export { answersContract } from './answers.ts'
export { type AuditStore, auditContract } from './audit.ts'
export { busContract } from './bus.ts'
export {
  type BuildConversations,
  byteValues,
  type ConversationsStore,
  conversationsContract,
  type SealedStore,
  sealedConversationsContract,
  type Values,
  withKeys,
} from './conversations.ts'
export { disabledContract } from './disabled.ts'
export { type DisabledUsersStore, disabledUsersContract } from './disabled-users.ts'
export { ingestContract } from './ingest.ts'
export { type BuildJobs, jobsContract } from './jobs.ts'
export { type LeasesStore, leasesContract } from './leases.ts'
export { limiterContract } from './limiter.ts'
export { registryContract } from './registry.ts'
