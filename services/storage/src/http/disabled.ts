import type { DisabledList, UserId } from '@chatbox/core'
import { createTimers } from '@chatbox/runtime'
import type { StorageDeps, StorageTimes } from '../deps.ts'

/** Who may not ask for anything (R23). */
export interface DisabledUsers {
  /** Whether there has been a list yet. Without one nobody knows, so nobody is let in. */
  readonly known: boolean
  has(uid: UserId): boolean
  /** Begins to look, and resolves after the first look, whatever came of it. The result ends it. */
  start(): Promise<() => Promise<void>>
}

/** Reads the mirror that edges read too, so that somebody who is disabled is away from sockets and REST at the same moment. */
export function disabledUsers(
  { fabric, log }: Pick<StorageDeps, 'fabric' | 'log'>,
  times: Pick<StorageTimes, 'mirrorLookMs'>,
): DisabledUsers {
  let list: DisabledList | undefined
  let away = false
  let looking: Promise<void> = Promise.resolve()

  async function look(): Promise<void> {
    const read = await fabric.disabled.read(list?.version)
    // A store that lost the list knows nothing better than what we have; it is mirrored again soon.
    if (read !== 'same' && read !== undefined) list = read
    if (away) log.info('the list of disabled users can be read again')
    away = false
  }

  function failed(err: unknown): void {
    if (!away) log.warn({ err }, 'the list of disabled users could not be read; the last one holds')
    away = true
  }

  /** One after another: a look that began before a change must not come back after one that saw it. */
  const lookNow = (): Promise<void> => {
    looking = looking.then(look).catch(failed)
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
      const deaf = (err: unknown) => log.debug({ err }, 'changes of disabled users are not signalled')
      await listen().catch(deaf)
      await lookNow()
      const stop = createTimers().every(
        times.mirrorLookMs,
        async () => {
          await lookNow()
          await listen()
        },
        deaf,
      )
      return async () => {
        await stop()
        await leave?.()
      }
    },
  }
}
