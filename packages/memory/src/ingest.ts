import type { DeadLetter, Ingest, OutcomePacket, RequestId } from '@chatbox/core'
import { loaded, type Stored, sizeOf, stored } from './codec.ts'
import { entrySource, type KeptEntry, type OpenSource, type PartitionEnd } from './entry-source.ts'
import { expiring } from './expiring.ts'
import type { MemoryBounds, MemoryClocks, MemoryStructure } from './options.ts'

interface Partition {
  readonly entries: Map<string, KeptEntry>
  readonly dead: DeadLetter[]
  /** Its one reader. */
  open: OpenSource | undefined
}

export interface MemoryIngest extends Ingest {
  empty(): void
  sweep(): void
  close(): void
  readonly sizes: { readonly entries: number; readonly outcomes: number; readonly dead: number }
}

export interface IngestOptions {
  readonly clocks: MemoryClocks
  readonly bounds: MemoryBounds
  readonly now: () => number
  readonly released: (structure: MemoryStructure, count: number) => void
}

/** Ends of answers may use this much of what requests may use (R7). */
const HEADROOM = 1.1

export function createIngest({ clocks, bounds, now, released }: IngestOptions): MemoryIngest {
  const partitions = new Map<number, Partition>()
  const outcomes = expiring<string, Stored<OutcomePacket['header']>>(clocks.outcomeMs, bounds.outcomes, now)
  /** Never begins again, so that an id from before a loss can't name an entry from after it. */
  let lastId = 0
  let entryCount = 0
  let entryBytes = 0
  let deadCount = 0

  const partitionOf = (number: number): Partition => {
    const known = partitions.get(number)
    if (known) return known
    const partition: Partition = { entries: new Map(), dead: [], open: undefined }
    partitions.set(number, partition)
    return partition
  }

  const outcomeKey = (partition: number, requestId: RequestId) => `${partition} ${requestId}`

  const take = (partition: Partition, id: string): KeptEntry | undefined => {
    const entry = partition.entries.get(id)
    if (!entry) return undefined
    partition.entries.delete(id)
    entryCount -= 1
    entryBytes -= sizeOf(entry.stored)
    return entry
  }

  const keepOutcome = (number: number, outcome: OutcomePacket | undefined) => {
    if (outcome) outcomes.set(outcomeKey(number, outcome.header.requestId), stored(outcome))
  }

  const endOf = (number: number, partition: Partition): PartitionEnd => ({
    now,
    closed() {
      partition.open = undefined
    },
    has: (id) => partition.entries.has(id),
    remove(done) {
      for (const { id, outcome } of done) {
        take(partition, id)
        keepOutcome(number, outcome)
      }
    },
    bury(id, reason, outcome) {
      const entry = take(partition, id)
      keepOutcome(number, outcome)
      if (!entry) return
      const { requestId, kind } = loaded(entry.stored).header
      partition.dead.push({ requestId, kind, reason, tries: entry.tries, at: now() })
      deadCount += 1
      if (partition.dead.length <= bounds.deadLetters) return
      partition.dead.shift()
      deadCount -= 1
      released('dead_letters', 1)
    },
  })

  return {
    async append({ partition: number, packet, ttlMs, headroom }) {
      const partition = partitionOf(number)
      const kept = stored(packet)
      const room = headroom ? HEADROOM : 1
      if (partition.entries.size >= bounds.partitionEntries * room) return 'full'
      if (entryBytes + sizeOf(kept) > bounds.entryBytes * room) return 'full'
      lastId += 1
      const entry: KeptEntry = {
        id: String(lastId),
        stored: kept,
        until: ttlMs === undefined ? undefined : now() + ttlMs,
        tries: 0,
      }
      partition.entries.set(entry.id, entry)
      entryCount += 1
      entryBytes += sizeOf(kept)
      partition.open?.offer(entry)
      return 'taken'
    },
    async own(number) {
      const partition = partitionOf(number)
      partition.open?.close()
      const open = entrySource(endOf(number, partition), partition.entries.values())
      partition.open = open
      return open.source
    },
    async outcome(number, requestId) {
      const outcome = outcomes.get(outcomeKey(number, requestId))
      return outcome && loaded(outcome)
    },
    now: async () => now(),
    async backlog(number) {
      const partition = partitions.get(number)
      return { waiting: partition?.entries.size ?? 0, dead: partition?.dead.length ?? 0 }
    },
    deadLetters: async (number) => [...(partitions.get(number)?.dead ?? [])],
    empty() {
      for (const partition of partitions.values()) {
        partition.entries.clear()
        partition.dead.length = 0
        partition.open?.forget()
      }
      outcomes.clear()
      entryCount = 0
      entryBytes = 0
      deadCount = 0
    },
    sweep() {
      const gone = outcomes.sweep()
      if (gone > 0) released('outcomes', gone)
    },
    close() {
      for (const partition of partitions.values()) partition.open?.close()
    },
    get sizes() {
      return { entries: entryCount, outcomes: outcomes.size, dead: deadCount }
    },
  }
}
