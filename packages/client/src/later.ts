/** Timers hold 31 bits; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

export type Cancel = () => void

/** Runs it after so many ms; returns how to call it off. */
export function later(ms: number, run: () => void): Cancel {
  const timer = setTimeout(run, Math.min(ms, LONGEST_MS))
  return () => clearTimeout(timer)
}
