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
    until(holds, signal) {
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
