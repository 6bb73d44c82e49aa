import { Unavailable } from '@chatbox/core'

/** Those who wait for a connection. */
export interface Wake {
  /** Rejects when the signal aborts before anybody was woken. */
  wait(signal: AbortSignal, reason: () => unknown): Promise<void>
  all(): void
}

export function wakeable(): Wake {
  const waiting = new Set<() => void>()
  return {
    wait: (signal, reason) =>
      new Promise((resolve, reject) => {
        const failed = () => reject(new Unavailable('there is no connection to Redis', { cause: reason() }))
        if (signal.aborted) return failed()
        const leave = () => {
          waiting.delete(woken)
          signal.removeEventListener('abort', aborted)
        }
        const woken = () => {
          leave()
          resolve()
        }
        const aborted = () => {
          leave()
          failed()
        }
        waiting.add(woken)
        signal.addEventListener('abort', aborted, { once: true })
      }),
    all() {
      for (const wake of waiting) wake()
    },
  }
}
