import { quantile } from '../lib/quantile.ts'
import { UNITS_PER_MS } from './token.ts'

/** What came to all clients between a mark and now. Milliseconds are from the provider's saying it to the client. */
export interface Heard {
  readonly tokens: number
  readonly frames: number
  readonly p50: number
  readonly p99: number
}

export interface Delays {
  readonly p50: number
  readonly p99: number
}

/** Counts what comes; every unit has its own place, so that nothing is kept per token. */
export interface Tally {
  token(units: number): void
  first(units: number): void
  frame(): void
  mark(): void
  heard(): Heard
  /** Of the streams that began since this was asked last. */
  firsts(): Delays
}

const LONGEST_MS = 20_000

export function tally(): Tally {
  const counts = new Uint32Array(LONGEST_MS * UNITS_PER_MS)
  let tokens = 0
  let frames = 0
  let firsts: number[] = []

  function share(q: number): number {
    if (tokens === 0) return Number.NaN
    let left = Math.ceil(q * tokens)
    for (let units = 0; units < counts.length; units++) {
      left -= counts[units] ?? 0
      if (left <= 0) return units / UNITS_PER_MS
    }
    return LONGEST_MS
  }

  return {
    token(units) {
      const place = Math.min(units, counts.length - 1)
      counts[place] = (counts[place] ?? 0) + 1
      tokens += 1
    },
    first: (units) => void firsts.push(units / UNITS_PER_MS),
    frame() {
      frames += 1
    },
    mark() {
      counts.fill(0)
      tokens = 0
      frames = 0
    },
    heard: () => ({ tokens, frames, p50: share(0.5), p99: share(0.99) }),
    firsts() {
      const delays = firsts
      firsts = []
      return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) }
    },
  }
}
