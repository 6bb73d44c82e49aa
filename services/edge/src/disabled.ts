import type { DisabledList, UserId } from '@chatbox/core'
import { createTimers } from '@chatbox/runtime'
import type { EdgeSettings } from './deps.ts'

/** Who may not be here (R23). */
export interface DisabledUsers {
  /** Whether there has been a list yet. Without one nobody knows, so nobody may come in. */
  readonly known: boolean
  has(uid: UserId): boolean
  /** Begins to look, and resolves after the first look, whatever came of it. The result ends it. */
  start(): Promise<() => Promise<void>>
}

export function disabledUsers(
  { fabric, log, times, metrics }: Pick<EdgeSettings, 'fabric' | 'log' | 'times' | 'metrics'>,
  changed: () => void,
): DisabledUsers {
  let list: DisabledList | undefined
  let looking: Promise<void> | undefined
  let again = false
  let away = false
  let readAt: number | undefined

  async function readOnce(): Promise<void> {
    const read = await fabric.disabled.read(list?.version)
    // A store that lost the list knows nothing better than what we have; storage will bring it again.
    if (read === 'same' || read === undefined) return
    list = read
    changed()
  }

  async function look(): Promise<void> {
    try {
      do {
        again = false
        await readOnce()
      } while (again)
      away = false
      readAt = performance.now()
      metrics.disabledAge.set(0)
    } catch (err) {
      if (!away) log.warn({ err }, 'the list of disabled users could not be read; the last one holds')
      away = true
      if (readAt !== undefined) metrics.disabledAge.set((performance.now() - readAt) / 1_000)
    }
  }

  /** What changes while somebody reads must be read once more. */
  function lookNow(): Promise<void> {
    if (looking) again = true
    looking ??= look().finally(() => {
      looking = undefined
    })
    return looking
  }

  return {
    get known() {
      return list !== undefined
    },
    has: (uid) => list?.has(uid) ?? false,
    async start() {
      let leave: (() => Promise<void>) | undefined
      const listen = async () => {
        leave ??= await fabric.disabled.onChange(() => void lookNow())
      }
      // A signal makes it fast; without it, each look takes its place.
      const failed = (err: unknown) => log.debug({ err }, 'changes of disabled users are not signalled')
      await listen().catch(failed)
      await lookNow()
      const stop = createTimers().every(
        times.disabledMs,
        async () => {
          await lookNow()
          await listen()
        },
        failed,
      )
      return async () => {
        await stop()
        await leave?.()
      }
    },
  }
}
