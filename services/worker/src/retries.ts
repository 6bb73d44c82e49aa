import { backoff, type Random } from '@chatbox/runtime'
import type { WorkerBounds, WorkerTimes } from './deps.ts'
import type { ProviderFault } from './provider.ts'

/** What had happened when a provider failed. */
export interface FailedTry {
  /** Requests of this attempt so far. */
  readonly tries: number
  /** Text was shown: it must be taken back before it is said again (P6). */
  readonly spoke: boolean
  /** Attempts of this answer that ended by a fault before, in whatever worker (R13). */
  readonly faults: number
  readonly remainingMs: number
}

export type RetryPlan =
  | { readonly kind: 'fail' }
  /** The same request in the same attempt: nobody saw anything. */
  | { readonly kind: 'ask-again'; readonly waitMs: number }
  /** A higher attempt, which begins with a reset. */
  | { readonly kind: 'new-attempt'; readonly waitMs: number }

/** Whether a provider is asked again, and when (L2). */
export function planRetry(
  fault: Pick<ProviderFault, 'retryable' | 'retryAfterMs'>,
  failed: FailedTry,
  times: Pick<WorkerTimes, 'retryMs' | 'maxRetryMs'>,
  bounds: Pick<WorkerBounds, 'tries' | 'triesAfterText'>,
  random?: Random,
): RetryPlan {
  if (!fault.retryable) return { kind: 'fail' }
  const exhausted = failed.spoke ? failed.faults + 1 >= bounds.triesAfterText : failed.tries >= bounds.tries
  if (exhausted) return { kind: 'fail' }
  const own = backoff(failed.tries - 1, { base: times.retryMs, max: times.maxRetryMs }, random)
  const waitMs = Math.max(own, fault.retryAfterMs ?? 0)
  // Nobody is served by a try that would be cut off before it begins.
  if (waitMs >= failed.remainingMs) return { kind: 'fail' }
  return { kind: failed.spoke ? 'new-attempt' : 'ask-again', waitMs }
}
