import { type EntrySource, Unavailable } from '@chatbox/core'
import type { Store } from '../connection/store.ts'
import type { Keys } from '../keys.ts'
import { packetBytes } from '../packets.ts'
import { createBell } from './bell.ts'
import { streamIdIn } from './entry-id.ts'
import { createReader } from './reader.ts'
import { buryEntry, removeEntries } from './scripts.ts'

export interface SourceDeps {
  readonly store: Store
  readonly keys: ReturnType<Keys['ofPartition']>
  readonly pollMs: number
  readonly deadLetters: number
  readonly outcomeMs: number
  closed(): void
}

export interface OpenSource extends EntrySource {
  closeNow(): void
}

export function entrySource(deps: SourceDeps): OpenSource {
  const { store, keys, pollMs, deadLetters, outcomeMs, closed } = deps
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
      const outcomes = done.flatMap(({ outcome }) => outcome ?? [])
      const names = [keys.entries, keys.tries, ...outcomes.map(({ header }) => keys.outcome(header.requestId))]
      // Ids of another life of the server are none of this one's.
      await store.callIn(removeEntries, names, (run) => {
        return [outcomeMs, ...outcomes.map(packetBytes), ...done.flatMap(({ id }) => streamIdIn(run, id) ?? [])]
      })
    },
    async bury(id, reason, outcome) {
      const names = [keys.entries, keys.tries, keys.dead, ...(outcome ? [keys.outcome(outcome.header.requestId)] : [])]
      await store.callIn(buryEntry, names, (run) => {
        return [streamIdIn(run, id) ?? '', reason, deadLetters, outcomeMs, ...(outcome ? [packetBytes(outcome)] : [])]
      })
    },
    async close() {
      closeNow()
    },
    closeNow,
  }
}
