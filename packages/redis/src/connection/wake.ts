import { noConnection } from './faults.ts'

/** Those who wait for a connection. */
export interface Wake {
  /** Rejects when the signal aborts before anybody was woken; `once` also at the next try to connect that fails. */
  wait(signal: AbortSignal, reason: () => unknown, once?: boolean): Promise<void>
  all(): void
  /** A try to connect has failed. */
  failed(): void
}

export function wakeable(): Wake {
  const waiting = new Set<() => void>()
  const impatient = new Set<() => void>()
  return {
    wait: (signal, reason, once = false) =>
      new Promise((resolve, reject) => {
        const failed = () => reject(noConnection(reason()))
        if (signal.aborted) return failed()
        const leave = () => {
          waiting.delete(woken)
          impatient.delete(aborted)
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
        if (once) impatient.add(aborted)
        signal.addEventListener('abort', aborted, { once: true })
      }),
    all() {
      for (const wake of waiting) wake()
    },
    failed() {
      for (const fail of impatient) fail()
    },
  }
}
