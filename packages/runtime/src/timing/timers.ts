import { setTimeout as delay } from 'node:timers/promises'

/** Above this setTimeout fires at once instead of late. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** An interval at the process's clock scale, never 0: a timer without a pause would starve everything else (R30). */
export function scaled(ms: number, scale: number): number {
  return Math.max(1, Math.round(ms * scale))
}

/** The one place where a process gets its intervals from, so that CLOCK_SCALE reaches all of them (R30). */
export interface Timers {
  readonly scale: number
  /** The interval as it passes in this process. */
  ms(nominal: number): number
  /** A whole table of intervals at this scale. */
  all<T extends Readonly<Record<string, number>>>(table: T): { readonly [K in keyof T]: number }
  /** Runs the task once. The result cancels it. */
  after(nominal: number, task: () => void): () => void
  /**
   * Runs the task again and again, the pause beginning when the task has ended, so that it never overlaps itself.
   * A failure goes to `onError` and does not end the repetition. The result stops it: the signal that the task was
   * given aborts, and the promise resolves when no run is left.
   */
  every(nominal: number, task: (stop: AbortSignal) => unknown, onError: (error: unknown) => void): () => Promise<void>
  /** Waits; rejects with the signal's reason when that comes first. */
  sleep(nominal: number, signal?: AbortSignal): Promise<void>
}

/** Timers keep no process alive: what must be finished is waited for by its owner. */
export function createTimers(scale = 1): Timers {
  const ms = (nominal: number) => Math.min(scaled(nominal, scale), LONGEST_TIMEOUT)

  return {
    scale,
    ms,
    // Same keys, every value a number again.
    all: <T extends Readonly<Record<string, number>>>(table: T) =>
      Object.fromEntries(Object.entries(table).map(([name, nominal]) => [name, ms(nominal)])) as {
        [K in keyof T]: number
      },
    after(nominal, task) {
      const timer = setTimeout(task, ms(nominal)).unref()
      return () => clearTimeout(timer)
    },
    every(nominal, task, onError) {
      return repeat(ms(nominal), task, onError)
    },
    async sleep(nominal, signal) {
      await delay(ms(nominal), undefined, signal ? { signal } : {}).catch((error: unknown) => {
        throw signal?.aborted ? signal.reason : error
      })
    },
  }
}

function repeat(pause: number, task: (stop: AbortSignal) => unknown, onError: (error: unknown) => void) {
  const stopping = new AbortController()
  let timer: NodeJS.Timeout
  let running = Promise.resolve()

  async function run(): Promise<void> {
    try {
      await task(stopping.signal)
    } catch (error) {
      if (!stopping.signal.aborted) onError(error)
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      running = run().then(() => {
        if (!stopping.signal.aborted) schedule()
      })
    }, pause).unref()
  }

  schedule()
  return async () => {
    stopping.abort()
    clearTimeout(timer)
    await running
  }
}
