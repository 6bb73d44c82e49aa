import { type EntrySource, type OutcomePacket, Unavailable } from '@chatbox/core'
import type { Argument, Script } from '../connection/script.ts'
import type { Store } from '../connection/store.ts'
import type { Keys } from '../keys.ts'
import { createBell } from './bell.ts'
import { streamIdIn } from './entry-id.ts'
import { createReader } from './reader.ts'
import { buryEntry, removeEntries } from './scripts.ts'

export interface SourceDeps {
  readonly store: Store
  readonly keys: ReturnType<Keys['ofPartition']>
  readonly pollMs: number
  readonly deadLetters: number
  keepOutcomes(outcomes: readonly OutcomePacket[]): Promise<void>
  closed(): void
}

export interface OpenSource extends EntrySource {
  closeNow(): void
}

export function entrySource({ store, keys, pollMs, deadLetters, keepOutcomes, closed }: SourceDeps): OpenSource {
  const bell = createBell(store, keys.bell, pollMs)
  const reader = createReader(store, keys)
  const endings = new Set<() => void>()
  let over = false

  const overFault = () => new Unavailable('this source was closed: the partition has another reader')

  /** Whoever waits may be told to stop; the work goes on, and what it brings is there for the next. */
  const unlessStopped = (work: Promise<void>, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (how: () => void) => () => {
        signal.removeEventListener('abort', aborted)
        endings.delete(ended)
        how()
      }
      const aborted = settle(() => reject(signal.reason))
      const ended = settle(() => reject(overFault()))
      signal.addEventListener('abort', aborted)
      endings.add(ended)
      work.then(settle(resolve), (error) => settle(() => reject(error))())
    })

  /** Sent on the connection to the very life of the server that the ids are of, and nowhere else. */
  async function inTheirLife(ids: readonly string[], script: Script, ...args: readonly Argument[]): Promise<void> {
    const { commands } = store.nodeOf(keys.entries)
    const { run } = commands
    if (run === undefined) throw new Unavailable('there is no connection to Redis')
    const places = ids.flatMap((id) => streamIdIn(run, id) ?? [])
    if (places.length > 0) await commands.call(script, [keys.entries, keys.tries, keys.dead], [...places, ...args])
  }

  /** A log that is away has nothing now; it is looked at again like one that has nothing. */
  const onlyAway = (error: unknown) => {
    if (!(error instanceof Unavailable)) throw error
  }

  const closeNow = () => {
    if (over) return
    over = true
    bell.close()
    for (const end of endings) end()
    closed()
  }

  return {
    async read(max, signal) {
      for (;;) {
        signal.throwIfAborted()
        if (over) throw overFault()
        const taken = reader.take(max)
        if (taken) return taken
        const rung = bell.next()
        await unlessStopped(reader.fetch(max).catch(onlyAway), signal)
        if (!reader.any) await unlessStopped(rung, signal)
      }
    },
    async remove(done) {
      await keepOutcomes(done.flatMap(({ outcome }) => outcome ?? []))
      await inTheirLife(
        done.map(({ id }) => id),
        removeEntries,
      )
    },
    async bury(id, reason, outcome) {
      await keepOutcomes(outcome ? [outcome] : [])
      await inTheirLife([id], buryEntry, reason, deadLetters)
    },
    async close() {
      closeNow()
    },
    closeNow,
  }
}
