export * from './config/index.ts'
export { TokenError, type TokenErrorCode, type TokenFault } from './jwt/errors.ts'
export { type Identity, ROLES, type Role } from './jwt/identity.ts'
export type { KeySourceTimes } from './jwt/key-source.ts'
export { signToken, type TokenOptions } from './jwt/sign.ts'
export { createVerifier, type Verifier, type VerifierOptions } from './jwt/verifier.ts'
export { type Lifecycle, type LifecycleOptions, lifecycle } from './lifecycle/lifecycle.ts'
export type { Part } from './lifecycle/part.ts'
export { type LoggedError, logError } from './log/error.ts'
export { createLogger, type Logger, type LoggerOptions, type LogMethod } from './log/logger.ts'
export { createMetrics, type Metrics, type MetricsOptions } from './metrics/metrics.ts'
export {
  createStructures,
  type Structure,
  type Structures,
  type StructuresOptions,
  type TrackedStructure,
} from './metrics/structures.ts'
export * from './metrics/types.ts'
export { type AddressOf, networkOf, trustedAddress } from './network/address.ts'
export { type AddressKind, addressKind, isLoopbackHost, mayBeAt, plainHost, upstreamFault } from './network/reach.ts'
export { createOps, type Ops, type OpsOptions, type OpsResponse } from './ops/ops.ts'
export type { Check, ProbeResult } from './ops/probe.ts'
export { ListenError } from './ops/server.ts'
export { backoff, jitter, type Random } from './timing/backoff.ts'
export { createTimers, scaled, type Timers } from './timing/timers.ts'
