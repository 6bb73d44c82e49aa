export * from './answers.ts'
export * from './audit.ts'
export * from './bus.ts'
export * from './conversations.ts'
export * from './disabled.ts'
export * from './ingest.ts'
export * from './jobs.ts'
export * from './leases.ts'
export * from './limiter.ts'
export * from './registry.ts'

import type { Answers } from './answers.ts'
import type { Bus } from './bus.ts'
import type { Disabled } from './disabled.ts'
import type { Ingest } from './ingest.ts'
import type { Jobs } from './jobs.ts'
import type { Limiter } from './limiter.ts'
import type { Registry } from './registry.ts'

/** What an in-process or a Redis fabric offers. */
export interface Fabric {
  readonly bus: Bus
  readonly answers: Answers
  readonly ingest: Ingest
  readonly jobs: Jobs
  readonly registry: Registry
  readonly limiter: Limiter
  readonly disabled: Disabled
}
