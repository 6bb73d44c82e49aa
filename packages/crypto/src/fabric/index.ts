import type { Fabric, Job, Jobs, Limiter } from '@chatbox/core'
import type { Keyring } from '../keyring.ts'
import { sealedAnswers } from './answers.ts'
import { sealedBus } from './bus.ts'
import { taggedDisabled } from './disabled.ts'
import { sealedIngest } from './ingest.ts'
import { sealedRegistry } from './registry.ts'
import { createSeals, type KeySizes, type SealedFabricOptions, type Seals } from './seals.ts'

export type { SealedFabricOptions }

export interface SealedFabric extends Fabric {
  /** How many keys are kept at hand (S5). */
  sizes(): KeySizes
}

/**
 * The same fabric for its callers; its adapters get tags in place of users, sealed bodies, and headers in clear, which are sealed
 * in as additional data (R26, R27).
 */
export function sealedFabric(fabric: Fabric, keyring: Keyring, options: SealedFabricOptions): SealedFabric {
  const seals = createSeals(keyring, options)
  return {
    bus: sealedBus(fabric.bus, seals),
    answers: sealedAnswers(fabric.answers, seals),
    ingest: sealedIngest(fabric.ingest, seals),
    jobs: jobsOfIds(fabric.jobs),
    registry: sealedRegistry(fabric.registry, seals),
    limiter: taggedLimiter(fabric.limiter, seals),
    disabled: taggedDisabled(fabric.disabled, seals),
    sizes: seals.sizes,
  }
}

/** Jobs can be read where they are kept: whatever they are given, they hold ids only. */
function jobsOfIds(jobs: Jobs): Jobs {
  const ids = ({ sid, answerId, n }: Job): Job => ({ sid, answerId, n })
  return {
    enqueue: (job) => jobs.enqueue(ids(job)),
    exists: (asked) => jobs.exists(asked.map(ids)),
    consume: (handler, options) => jobs.consume(handler, options),
    depth: () => jobs.depth(),
    drop: (job) => jobs.drop(ids(job)),
  }
}

/** Keys are user ids and addresses; each bucket has tags of its own. */
function taggedLimiter(limiter: Limiter, seals: Seals): Limiter {
  const tag = (bucket: string, key: string) => seals.tag(key, `limit/${bucket}`)
  return {
    consume: async (bucket, key, points) => limiter.consume(bucket, tag(bucket, key), points),
    peek: async (bucket, key) => limiter.peek(bucket, tag(bucket, key)),
  }
}
