/** Waiting for something to hold: whoever may have made it so says that something has changed. */
export interface Condition {
  changed(): void
  /** Rejects with the signal's reason when that comes first. */
  until(holds: () => boolean, signal: AbortSignal): Promise<void>
}

export function condition(): Condition {
  const waiting = new Set<() => void>()
  return {
    changed() {
      for (const look of [...waiting]) look()
    },
    async until(holds, signal) {
      signal.throwIfAborted()
      // As it is for nearly every token: a listener that comes and goes would cost more than all the rest.
      if (holds()) return
      return new Promise((resolve, reject) => {
        const over = () => {
          waiting.delete(look)
          signal.removeEventListener('abort', look)
        }
        const look = () => {
          if (signal.aborted) reject(signal.reason)
          else if (holds()) resolve()
          else return
          over()
        }
        waiting.add(look)
        signal.addEventListener('abort', look)
        look()
      })
    },
  }
}
