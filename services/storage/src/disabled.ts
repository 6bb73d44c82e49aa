import type { UserId } from '@chatbox/core'
import { createTimers } from '@chatbox/runtime'
import type { StorageDeps, StorageTimes } from './deps.ts'

interface Listed {
  readonly uids: readonly UserId[]
  readonly text: string
}

/**
 * Mirrors the list of disabled users to where edges read it (R23): at the start, and whenever the mirror has another one than the
 * database, because it was lost, or is older after a failover, or could not be written when the list changed. Every replica does;
 * they all write the same.
 */
export function mirrorDisabled(
  { disabledUsers, fabric, log }: Pick<StorageDeps, 'disabledUsers' | 'fabric' | 'log'>,
  times: StorageTimes,
) {
  /** What was written last, and the version that it has there. */
  let written: { readonly text: string; readonly version: string } | undefined
  let away = false

  async function listed(): Promise<Listed> {
    const uids = await disabledUsers.list()
    return { uids, text: uids.join('\n') }
  }

  async function mirror(list: Listed): Promise<void> {
    let current = list
    do {
      const { uids, text } = current
      written = { text, version: await fabric.disabled.replace(uids) }
      // Somebody who changed it meanwhile may have mirrored it before us, and ours would take that back.
      current = await listed()
    } while (current.text !== written.text)
  }

  async function look(): Promise<void> {
    const list = await listed()
    if (list.text !== written?.text || (await fabric.disabled.read(written.version)) !== 'same') await mirror(list)
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
