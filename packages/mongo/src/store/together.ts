import type { Access } from '../access.ts'
import { gather } from '../gather.ts'

/** Reads that are asked for together are one query; gives each its own, in their order. */
export function together<C, R>(
  { settings, attempt, reads }: Access,
  what: string,
  readAll: (calls: readonly C[]) => Promise<readonly R[]>,
  most = settings.gatherSize,
): (call: C) => Promise<R> {
  const { gatherMs: ms, gatherSize, answerMs } = settings
  const size = Math.min(gatherSize, most)
  return gather<C, R>({ what, ms, size, answerMs, run: (calls) => attempt(what, () => readAll(calls)) }, reads)
}
