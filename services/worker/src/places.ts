import { bulkhead } from 'cockatiel'
import { ProviderFault } from './provider.ts'

/** Requests under way at one provider, of all its models; as many again wait. */
export interface Places {
  /** Gives back the place that was waited for. Rejects with a `ProviderFault`, or with the signal's reason. */
  take(signal: AbortSignal): Promise<() => void>
}

export function createPlaces(concurrency: number): Places {
  // How many wait is counted here: the library counts those as well that have given up.
  const places = bulkhead(concurrency, Number.POSITIVE_INFINITY)
  let waiting = 0

  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        if (places.executionSlots === 0 && waiting >= concurrency) {
          return reject(
            new ProviderFault('provider_overloaded', 'too many wait for this provider', { retryable: true }),
          )
        }
        let waits = true
        waiting += 1
        const over = () => {
          waits = false
          waiting -= 1
          signal.removeEventListener('abort', onAbort)
        }
        const onAbort = () => {
          over()
          reject(signal.reason)
        }
        signal.addEventListener('abort', onAbort)
        // Without the signal: with it, whoever has given up takes the turn of who stands behind, who then waits beside a free place.
        places
          .execute(() => {
            if (!waits) return undefined
            over()
            return new Promise<void>((leave) => resolve(leave))
          })
          .catch(reject)
      }),
  }
}
