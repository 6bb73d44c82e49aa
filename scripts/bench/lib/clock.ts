import { setTimeout as pause } from 'node:timers/promises'

/** Milliseconds on the one clock that all processes of a machine share. */
export const sharedNow = (): number => Number(process.hrtime.bigint()) / 1e6

/** Resolves when it holds, or with false when it does not within that time. */
export async function becomes(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  everyMs = 50,
): Promise<boolean> {
  const until = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > until) return false
    await pause(everyMs)
  }
  return true
}
