import { Unavailable } from '@chatbox/core'
import { backoff, createTimers } from '@chatbox/runtime'
import { Left } from './answering.ts'
import type { DeltaBatcher } from './delta-batcher.ts'
import type { WorkerBounds, WorkerDeps, WorkerTimes } from './deps.ts'
import type { QueueClock } from './queue-clock.ts'
import type { Suspects } from './suspects.ts'

/** What everything that works on an answer works with. */
export interface Work extends WorkerDeps {
  readonly times: WorkerTimes
  readonly bounds: WorkerBounds
  readonly batcher: DeltaBatcher
  readonly clock: QueueClock
  readonly suspects: Suspects
}

/** Times come scaled by whoever makes the worker. */
export const { sleep: pause } = createTimers()

/** The wait before a store that was away is asked again. */
export const storeBackoff = (tries: number): number => backoff(tries, { base: 25, max: 2_000 })

/**
 * Tries again while the store is away, with growing and jittered pauses, each retry logged (D3). After `awayMs` the answer is
 * left: a slot is worth more than an answer that the sweeper will queue again (R17).
 */
export async function insist<T>(
  { log, metrics, times }: Pick<Work, 'log' | 'metrics' | 'times'>,
  what: string,
  left: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  const until = performance.now() + times.awayMs
  for (let tries = 1; ; tries++) {
    left.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      if (performance.now() > until) throw new Left('store-away', error)
      const waitMs = storeBackoff(tries)
      metrics.storeRetries.inc({ what })
      log.warn({ err: error, what, tries, waitMs }, 'the store is away, trying again')
      await pause(waitMs, left)
    }
  }
}
