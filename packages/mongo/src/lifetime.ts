import { StoreError } from './errors.ts'

export interface Lifetime {
  /** The port, refused once it is closing, and never throwing but by its promises. */
  guarded<T extends object>(port: T): T
  /** Refuses what comes later, waits for what is under way, and closes. Closing twice is harmless. */
  close(): Promise<void>
}

type Call = (...values: readonly unknown[]) => unknown

export function lifetime(closeAll: () => Promise<void>): Lifetime {
  const underWay = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  async function enter(call: Call, values: readonly unknown[]): Promise<unknown> {
    if (closing) throw new StoreError('closed', 'The database is closed.')
    const outcome = Promise.resolve().then(() => call(...values))
    underWay.add(outcome)
    try {
      return await outcome
    } finally {
      underWay.delete(outcome)
    }
  }

  async function closeOnce(): Promise<void> {
    await Promise.allSettled(underWay)
    await closeAll()
  }

  return {
    guarded: (port) =>
      Object.fromEntries(
        Object.entries(port).map(([name, call]) => [name, (...values: unknown[]) => enter(call, values)]),
      ) as typeof port,
    close() {
      closing ??= closeOnce()
      return closing
    },
  }
}
