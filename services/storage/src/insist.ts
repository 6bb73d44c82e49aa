import { Unavailable } from '@chatbox/core'
import { backoff, type Logger } from '@chatbox/runtime'
import type { StorageMetrics } from './metrics.ts'
import type { Work } from './work.ts'

interface Options {
  readonly log: Logger
  /** Aborted when the partition is no longer ours. */
  readonly signal: AbortSignal
  readonly metrics: Pick<StorageMetrics, 'retries'>
  now(): number
}

/** Tries again, with growing and jittered pauses, while the store is away; each retry is logged (D3). */
export function insistence({ log, signal, metrics, now }: Options): Work['insist'] {
  return async (what, attempt, until) => {
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted()
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        if (until !== undefined && now() > until) throw error
        const waitMs = backoff(tries, { base: 50, max: 2_000 })
        metrics.retries.inc({ what })
        log.warn({ err: error, what, tries, waitMs }, 'the store is away, trying again')
        await pause(waitMs, signal)
      }
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}
