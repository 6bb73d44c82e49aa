import { createTimers } from '@chatbox/runtime'
import type { StorageDeps, StorageTimes } from './deps.ts'

/**
 * Mirrors the list of disabled users to where edges read it (R23): at the start, when the mirror has lost it, and now and then
 * in any case. Every replica does; they all write the same.
 */
export function mirrorDisabled(
  { disabledUsers, fabric, log }: Pick<StorageDeps, 'disabledUsers' | 'fabric' | 'log'>,
  times: StorageTimes,
) {
  let mirroredAt = Number.NEGATIVE_INFINITY
  let away = false

  async function mirror(): Promise<void> {
    let written: string
    do {
      const uids = await disabledUsers.list()
      written = uids.join('\n')
      await fabric.disabled.replace(uids)
      // Somebody who changed it meanwhile may have mirrored it before us, and ours would take that back.
    } while ((await disabledUsers.list()).join('\n') !== written)
    mirroredAt = performance.now()
  }

  async function look(): Promise<void> {
    const due = performance.now() - mirroredAt >= times.mirrorMs
    if (due || (await fabric.disabled.read()) === undefined) await mirror()
    if (away) log.info('the list of disabled users is mirrored again')
    away = false
  }

  function failed(err: unknown): void {
    if (!away) log.warn({ err }, 'the list of disabled users could not be mirrored')
    away = true
  }

  return {
    /** A mirror that is away does not keep storage from starting; edges wait for it. */
    async start(): Promise<() => Promise<void>> {
      await look().catch(failed)
      return createTimers().every(times.mirrorLookMs, look, failed)
    },
  }
}
