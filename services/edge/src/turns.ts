/** Lets so many pieces of work run at once; the others wait for their turn, in order. */
export interface Turns {
  take<T>(work: () => Promise<T>): Promise<T>
  /** What runs or waits. */
  readonly size: number
}

export function turns(atOnce: number): Turns {
  /** In the order in which they came; taking the first of a long array would move all the others. */
  const waiting = new Set<() => void>()
  let running = 0

  function pass(): void {
    for (const next of waiting) {
      waiting.delete(next)
      // It has the place from here on, so that nobody slips in between.
      return next()
    }
    running -= 1
  }

  return {
    async take(work) {
      if (running < atOnce) running += 1
      else await new Promise<void>((resolve) => waiting.add(resolve))
      try {
        return await work()
      } finally {
        pass()
      }
    },
    get size() {
      return running + waiting.size
    },
  }
}
