/** Runs tasks of one key in the order they came, tasks of different keys side by side; holds back when too many are under way. */
export interface Chains {
  run(key: string, task: () => Promise<void>): void
  /** Resolves when fewer than the limit are under way. */
  room(): Promise<void>
  idle(): Promise<void>
  readonly size: number
}

export function chains(limit: number): Chains {
  const tails = new Map<string, Promise<void>>()
  const waiters = new Set<() => void>()
  let running = 0

  const until = (holds: () => boolean): Promise<void> =>
    holds()
      ? Promise.resolve()
      : new Promise((resolve) => {
          const check = () => {
            if (!holds()) return
            waiters.delete(check)
            resolve()
          }
          waiters.add(check)
        })

  return {
    run(key, task) {
      running++
      const tail = (tails.get(key) ?? Promise.resolve()).then(task).finally(() => {
        running--
        if (tails.get(key) === tail) tails.delete(key)
        for (const check of [...waiters]) check()
      })
      tails.set(key, tail)
    },
    room: () => until(() => running < limit),
    idle: () => until(() => running === 0),
    get size() {
      return running
    },
  }
}
