import type { RequestId } from '@chatbox/core'

/** One request that waits to hear from storage. */
export interface Waiting {
  /** It will hear of itself now; false if it has heard already. */
  settle(): boolean
  /** It was told that it is not known what became of it. */
  readonly toldUnknown: boolean
}

/** Requests that wait to hear from storage. None waits for ever (P8). */
export interface Requests {
  /** Undefined when too many wait already, or one under the same id does: the earlier one is still on its way. */
  open(id: RequestId, unanswered: () => void): Waiting | undefined
  /** It was answered, in whatever way. */
  settle(id: RequestId): void
  /** One after another: what a client asks for must not overtake what it asked for before. */
  inTurn(task: () => Promise<void>): Promise<void>
  /** Nobody is there any more who could be told. */
  clear(): void
  readonly size: number
}

export function requests(timeoutMs: number, max: number): Requests {
  const waiting = new Map<RequestId, { readonly timer: NodeJS.Timeout }>()
  let last: Promise<void> = Promise.resolve()

  function settle(id: RequestId): void {
    clearTimeout(waiting.get(id)?.timer)
    waiting.delete(id)
  }

  return {
    open(id, unanswered) {
      if (waiting.size >= max || waiting.has(id)) return undefined
      let toldUnknown = false
      const timer = setTimeout(() => {
        waiting.delete(id)
        toldUnknown = true
        unanswered()
      }, timeoutMs)
      const entry = { timer }
      waiting.set(id, entry)
      return {
        settle() {
          if (waiting.get(id) !== entry) return false
          settle(id)
          return true
        },
        get toldUnknown() {
          return toldUnknown
        },
      }
    },
    settle,
    inTurn(task) {
      const run = last.then(task)
      // Whoever asked hears of the failure; those behind go on.
      last = run.catch(() => undefined)
      return run
    },
    clear() {
      for (const { timer } of waiting.values()) clearTimeout(timer)
      waiting.clear()
    },
    get size() {
      return waiting.size
    },
  }
}
