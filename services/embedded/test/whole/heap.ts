import { expect } from 'vitest'
import type { WorkerProcess } from './backend.ts'

/** For the environment of a process that `heldBy` is to ask. */
export const TELLS_HEAP = { NODE_OPTIONS: `--import=${new URL('tell-heap.mjs', import.meta.url).href}` }

/** The bytes that a process holds on to; what is only not collected yet does not count. */
export async function heldBy({ process: { kill, output } }: WorkerProcess): Promise<number> {
  const told = () => [...output().matchAll(/^holds (\d+) bytes$/gm)].map(([, bytes]) => Number(bytes))
  const before = told().length
  kill('SIGUSR2')
  await expect.poll(() => told().length, { timeout: 60_000, interval: 20 }).toBeGreaterThan(before)
  return told()[before] ?? Number.NaN
}
