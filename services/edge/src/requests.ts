import type { RequestId } from '@chatbox/core'

/** One request that waits to hear from storage. */
export interface Waiting {
  /** It will hear of itself now; false if it has heard already. */
  settle(): boolean
  /** It was told that it is not known what became of it. */
  readonly toldUnknown: boolean
}

export type { Requests }

export const requests = (timeoutMs: number, max: number): Requests => new Requests(timeoutMs, max)

/**
 * Requests of one connection that wait to hear from storage. None waits for ever (P8). A class, because every connection has one, and
 * most have nothing that waits.
 */
class Requests {
  readonly #timeoutMs: number
  readonly #max: number
  #waiting: Map<RequestId, NodeJS.Timeout> | undefined
  #last: Promise<void> | undefined

  constructor(timeoutMs: number, max: number) {
    this.#timeoutMs = timeoutMs
    this.#max = max
  }

  get size(): number {
    return this.#waiting?.size ?? 0
  }

  /** Undefined when too many wait already, or one under the same id does: the earlier one is still on its way. */
  open(id: RequestId, unanswered: () => void): Waiting | undefined {
    this.#waiting ??= new Map()
    const waiting = this.#waiting
    if (waiting.size >= this.#max || waiting.has(id)) return undefined
    const entry = {
      toldUnknown: false,
      settle: () => {
        if (waiting.get(id) !== timer) return false
        this.settle(id)
        return true
      },
    }
    const timer = setTimeout(() => {
      waiting.delete(id)
      entry.toldUnknown = true
      unanswered()
    }, this.#timeoutMs)
    waiting.set(id, timer)
    return entry
  }

  /** It was answered, in whatever way. */
  settle(id: RequestId): void {
    clearTimeout(this.#waiting?.get(id))
    this.#waiting?.delete(id)
  }

  /** One after another: what a client asks for must not overtake what it asked for before. */
  inTurn(task: () => Promise<void>): Promise<void> {
    const run = (this.#last ?? Promise.resolve()).then(task)
    // Whoever asked hears of the failure; those behind go on.
    this.#last = run.catch(() => undefined)
    return run
  }

  /** Nobody is there any more who could be told. */
  clear(): void {
    for (const timer of this.#waiting?.values() ?? []) clearTimeout(timer)
    this.#waiting?.clear()
  }
}
