export type { Latest }

export const latest = <T>(everyMs: number, hand: (value: T) => Promise<unknown>, passedOver: () => void): Latest<T> =>
  new Latest(everyMs, hand, passedOver)

/**
 * Hands on the first value at once, and then the latest of those that came meanwhile: never two at once, and no sooner than so long after
 * the one before. However many it is given, there is no more to do than that. A class, because connections have one.
 */
class Latest<T> {
  readonly #everyMs: number
  readonly #hand: (value: T) => Promise<unknown>
  readonly #passedOver: () => void
  #next: { readonly value: T } | undefined
  #busy = false
  #ended = false
  #timer: NodeJS.Timeout | undefined

  /** `hand` is to deal with its own failures. */
  constructor(everyMs: number, hand: (value: T) => Promise<unknown>, passedOver: () => void) {
    this.#everyMs = everyMs
    this.#hand = hand
    this.#passedOver = passedOver
  }

  put(value: T): void {
    if (this.#ended) return
    if (this.#next) this.#passedOver()
    this.#next = { value }
    if (!this.#busy) void this.#step()
  }

  /** Nothing more is handed on. */
  end(): void {
    this.#ended = true
    this.#next = undefined
    clearTimeout(this.#timer)
  }

  async #step(): Promise<void> {
    if (!this.#next) return
    const { value } = this.#next
    this.#next = undefined
    this.#busy = true
    await this.#hand(value)
    if (this.#ended) return
    this.#timer = setTimeout(() => {
      this.#busy = false
      void this.#step()
    }, this.#everyMs)
  }
}
