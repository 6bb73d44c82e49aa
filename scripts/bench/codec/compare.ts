export const ROUNDS = 80
/** Short, so that some of them are spared by whatever else wants the processor. */
const ROUND_NS = 400_000

/**
 * Nanoseconds that each of these takes once: the best of many rounds, in turns, so that what else the machine does
 * falls on all of them alike.
 */
export function compare(...runs: (() => unknown)[]): number[] {
  const counts = runs.map(timesPerRound)
  const best = runs.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < ROUNDS; round++) {
    runs.forEach((run, i) => {
      const count = counts[i] ?? 1
      best[i] = Math.min(best[i] ?? 0, took(run, count) / count)
    })
  }
  return best
}

/** How often it runs in a round; finding out warms it up. */
function timesPerRound(run: () => unknown): number {
  for (let count = 1; ; count *= 2) {
    if (took(run, count) >= ROUND_NS) return count
  }
}

/** Kept, so that nothing is optimised away. */
export let last: unknown

function took(run: () => unknown, count: number): number {
  const start = process.hrtime.bigint()
  for (let i = 0; i < count; i++) last = run()
  return Number(process.hrtime.bigint() - start)
}
