import {
  type Done,
  type Entry,
  type EntryPacket,
  type EntrySource,
  type OutcomePacket,
  Unavailable,
} from '@chatbox/core'
import { loaded, type Stored } from './codec.ts'

export interface KeptEntry {
  readonly id: string
  readonly stored: Stored<EntryPacket['header']>
  readonly until: number | undefined
  tries: number
}

/** What a source does to its partition. */
export interface PartitionEnd {
  has(id: string): boolean
  remove(done: readonly Done[]): void
  bury(id: string, reason: string, outcome?: OutcomePacket): void
  now(): number
  closed(): void
}

/** A source, and what its partition tells it. */
export interface OpenSource {
  readonly source: EntrySource
  /** Another entry is there to be read. */
  offer(entry: KeptEntry): void
  /** The entries are gone. */
  forget(): void
  close(): void
}

/** Reads a partition once from its head; what it has not read yet is a list of its own, so that no read walks over what waits to be removed. */
export function entrySource(partition: PartitionEnd, waiting: Iterable<KeptEntry>): OpenSource {
  let unread = [...waiting]
  let closed = false
  const wakers = new Set<() => void>()

  const wake = () => {
    for (const waker of wakers) waker()
  }

  const close = () => {
    if (closed) return
    closed = true
    unread = []
    partition.closed()
    wake()
  }

  const arrival = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        wakers.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      wakers.add(done)
      signal.addEventListener('abort', done)
    })

  /** One that was read before is the last: what is behind it must not be counted as begun when its reader dies of it (R7). */
  const take = (max: number): Entry[] => {
    const known = unread.slice(0, max).findIndex(({ tries }) => tries > 0)
    return unread
      .splice(0, known < 0 ? max : known + 1)
      .filter(({ id }) => partition.has(id))
      .map((entry) => {
        entry.tries += 1
        const { id, stored, until, tries } = entry
        return { id, packet: loaded(stored), tries, ...(until !== undefined && { until }) }
      })
  }

  const source: EntrySource = {
    async read(max, signal) {
      for (;;) {
        signal.throwIfAborted()
        if (closed) throw new Unavailable('this source was closed: the partition has another reader')
        const entries = take(max)
        if (entries.length > 0) return { entries, now: partition.now() }
        if (unread.length === 0) await arrival(signal)
      }
    },
    async remove(done) {
      partition.remove(done)
    },
    async bury(id, reason, outcome) {
      partition.bury(id, reason, outcome)
    },
    async close() {
      close()
    },
  }

  return {
    source,
    close,
    offer(entry) {
      unread.push(entry)
      wake()
    },
    forget() {
      unread = []
    },
  }
}
