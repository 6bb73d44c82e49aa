import { createTimers } from '@chatbox/runtime'
import type { StorageDeps, StorageTimes } from './deps.ts'

/**
 * Mirrors the list of disabled users to where edges read it (R23): at the start, when it has changed, when the mirror has lost it, and
 * now and then in any case. Every replica does; they all write the same.
 */
export function mirrorDisabled(
  { disabledUsers, fabric, log }: Pick<StorageDeps, 'disabledUsers' | 'fabric' | 'log'>,
  times: StorageTimes,
) {
  let mirroredAt = Number.NEGATIVE_INFINITY
  let mirrored: string | undefined
  let away = false

  const listed = async () => {
    const uids = await disabledUsers.list()
    return { uids, text: uids.join('\n') }
  }

  async function mirror(): Promise<void> {
    let list = await listed()
    for (;;) {
      await fabric.disabled.replace(list.uids)
      mirrored = list.text
      list = await listed()
      // Somebody who changed it meanwhile may have mirrored it before us, and ours would take that back.
      if (list.text === mirrored) break
    }
    mirroredAt = performance.now()
  }

  async function look(): Promise<void> {
    const due = performance.now() - mirroredAt >= times.mirrorMs
    const changed = async () => (await listed()).text !== mirrored
    if (due || (await changed()) || (await fabric.disabled.read()) === undefined) await mirror()
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
