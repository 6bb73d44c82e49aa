import { setTimeout as delay } from 'node:timers/promises'

export interface PaceOptions {
  readonly perSecond: number | undefined
  readonly signal: AbortSignal | undefined
}

/** Resolves when the next call of the database may be made; rejects with the signal's reason when that has been aborted. */
export function pace({ perSecond, signal }: PaceOptions): () => Promise<void> {
  let next = 0
  return async () => {
    signal?.throwIfAborted()
    if (perSecond === undefined) return
    const now = performance.now()
    const at = Math.max(now, next)
    next = at + 1_000 / perSecond
    if (at === now) return
    await delay(at - now, undefined, signal && { signal }).catch((error: unknown) => {
      signal?.throwIfAborted()
      throw error
    })
  }
}

/** So many at once. Nothing is under way any more when it resolves or rejects. */
export async function each<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  let failed = false
  const worker = async () => {
    for (const item of waiting) {
      if (failed) return
      await work(item).catch((error: unknown) => {
        failed = true
        throw error
      })
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker))
  const fault = ended.find((end) => end.status === 'rejected')
  if (fault) throw fault.reason
}
