import { setTimeout as delay } from 'node:timers/promises'
import { Unavailable } from '@chatbox/core'
import { bare, faultOf, judge } from './faults.ts'

/** For the log: something did not work, and is tried again. */
export interface Retry {
  readonly what: string
  /** How often it was tried by now. */
  readonly attempt: number
  readonly delayMs: number
  readonly error: Error
}

export interface AttemptOptions {
  /** Every call is answered within this. */
  readonly answerMs: number
  /** Nothing is begun again after this; `answerMs` by default. */
  readonly retryMs?: number
  readonly onRetry: (retry: Retry) => void
}

/**
 * Does the work, and does it again where that may help: what it does must be safe to repeat when it is not known whether it was done.
 * It is told how often it was tried, with this time.
 */
export type Attempt = <T>(what: string, work: (time: number) => Promise<T>) => Promise<T>

const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 500

/** Transient faults are met with pauses that grow, up to a limit, and then with `Unavailable` (D3, P8). */
export function attempts({ answerMs, retryMs = answerMs, onRetry }: AttemptOptions): Attempt {
  return async (what, work) => {
    const start = performance.now()
    for (let time = 1; ; time += 1) {
      try {
        return await within(start + answerMs - performance.now(), what, work(time))
      } catch (error) {
        if (error instanceof Unavailable) throw error
        const verdict = judge(error)
        if (verdict === 'fault') throw faultOf(error)
        const pause = pauseAfter(time)
        if (verdict === 'refused' || performance.now() + pause >= start + retryMs) throw unavailable(what, error)
        onRetry({ what, attempt: time, delayMs: pause, error: bare(error) })
        await delay(pause)
      }
    }
  }
}

/** Spread, so that those who failed together do not come back together. */
function pauseAfter(time: number): number {
  const full = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (time - 1))
  return Math.round(full * (0.5 + Math.random() / 2))
}

/** The driver's own limits hold for each of its steps, and add up to more than a caller may wait. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable(`MongoDB took too long to ${what}`)), Math.max(0, ms))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export const unavailable = (what: string, error: unknown): Unavailable =>
  new Unavailable(`MongoDB could not ${what}`, { cause: bare(error) })
