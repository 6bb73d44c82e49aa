export type { Box } from './box.ts'
export {
  KEY_TTL_MS,
  type KeyedConversations,
  type SealedConversationsOptions,
  sealedConversations,
} from './conversations/index.ts'
export { type SealedFabric, type SealedFabricOptions, sealedFabric } from './fabric/index.ts'
export {
  createKeyring,
  defaultHashKey,
  type Fingerprints,
  type Keyring,
  type KeyringOptions,
  type Purpose,
  type RingKey,
} from './keyring.ts'
export { checkRing, RingFault } from './rotation/check-ring.ts'
export {
  type RotateOptions,
  type RotationConversations,
  type RotationProgress,
  type RotationReport,
  rotate,
} from './rotation/rotate.ts'
export { keyIdOf } from './value.ts'
export type { OnUnopenable, SealedPlace } from './watch.ts'
