/** What came, in order, and a way to wait for what has not come yet. */
export interface Arrivals<T> {
  readonly all: readonly T[]
  add(one: T): void
  /** The one of this number, from 0, as soon as it is there. */
  at(index: number): Promise<T>
}

export function arrivals<T extends object>(): Arrivals<T> {
  const all: T[] = []
  const waiting = new Set<() => void>()
  return {
    all,
    add(one) {
      all.push(one)
      for (const look of [...waiting]) look()
    },
    at: (index) =>
      new Promise((resolve) => {
        const look = () => {
          const one = all[index]
          if (!one) return
          waiting.delete(look)
          resolve(one)
        }
        waiting.add(look)
        look()
      }),
  }
}
