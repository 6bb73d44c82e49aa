import type { RequestId } from '@chatbox/core'

/** Requests that wait to hear from storage. None waits for ever (P8). */
export interface Requests {
  /** False when too many wait already. A repetition under the same id takes the place of the earlier one. */
  open(id: RequestId, unanswered: () => void): boolean
  /** It was answered, in whatever way. */
  settle(id: RequestId): void
  clear(): void
  readonly size: number
}

export function requests(timeoutMs: number, max: number): Requests {
  const waiting = new Map<RequestId, NodeJS.Timeout>()

  function settle(id: RequestId): void {
    clearTimeout(waiting.get(id))
    waiting.delete(id)
  }

  return {
    open(id, unanswered) {
      if (waiting.size >= max && !waiting.has(id)) return false
      settle(id)
      waiting.set(
        id,
        setTimeout(() => {
          waiting.delete(id)
          unanswered()
        }, timeoutMs),
      )
      return true
    },
    settle,
    clear() {
      for (const timer of waiting.values()) clearTimeout(timer)
      waiting.clear()
    },
    get size() {
      return waiting.size
    },
  }
}
