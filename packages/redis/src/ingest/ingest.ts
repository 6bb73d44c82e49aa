import { type DeadLetter, type Ingest, type OutcomeHeader, requestId, Unavailable } from '@chatbox/core'
import { Refused } from '../connection/faults.ts'
import { bytesOf, listOf, numberOf, type Reply, textOf } from '../connection/script.ts'
import type { Store } from '../connection/store.ts'
import type { Keys } from '../keys.ts'
import type { RedisBounds, RedisClocks } from '../options.ts'
import { packetBytes, packetOf } from '../packets.ts'
import { appendEntry, countEntries } from './scripts.ts'
import { entrySource, type OpenSource } from './source.ts'

export interface IngestDeps {
  readonly store: Store
  readonly keys: Keys
  readonly clocks: Pick<RedisClocks, 'outcomeMs' | 'pollMs'>
  readonly bounds: Pick<RedisBounds, 'partitionEntries' | 'deadLetters'>
}

export interface RedisIngest extends Ingest {
  /** Partitions that are read here. */
  readonly sources: number
  close(): void
}

/** Ends of answers may use this much of what requests may use (R7). */
const HEADROOM = 1.1
const NEVER = ''

export function createIngest({ store, keys, clocks, bounds }: IngestDeps): RedisIngest {
  const open = new Map<number, OpenSource>()
  const bound = { requests: bounds.partitionEntries, ends: Math.floor(bounds.partitionEntries * HEADROOM) }

  return {
    async append({ partition, packet, ttlMs, headroom }) {
      const { entries, bell } = keys.ofPartition(partition)
      const args = [packetBytes(packet), ttlMs ?? NEVER, headroom ? bound.ends : bound.requests]
      try {
        return textOf(await store.call(appendEntry, [entries, bell], args)) === 'full' ? 'full' : 'taken'
      } catch (error) {
        // A server without memory, without a disk or without its master is as full as one at its bound: nothing was done.
        if (error instanceof Refused) return 'full'
        if (error instanceof Unavailable) return 'unknown'
        throw error
      }
    },
    async own(partition) {
      open.get(partition)?.closeNow()
      const source = entrySource({
        store,
        keys: keys.ofPartition(partition),
        pollMs: clocks.pollMs,
        deadLetters: bounds.deadLetters,
        outcomeMs: clocks.outcomeMs,
        closed: () => open.delete(partition),
      })
      open.set(partition, source)
      return source
    },
    async outcome(partition, requestId) {
      const key = keys.ofPartition(partition).outcome(requestId)
      const bytes = await store.command(key, 'GET', key)
      return bytes === null ? undefined : packetOf<OutcomeHeader>(bytesOf(bytes))
    },
    /** In a cluster the servers have clocks of their own: this is that of the first partition, and each source tells its own. */
    async now() {
      const [seconds, micros] = listOf(await store.command(keys.ofPartition(0).entries, 'TIME'))
      return numberOf(seconds) * 1_000 + Math.floor(numberOf(micros) / 1_000)
    },
    async backlog(partition) {
      const { entries, dead } = keys.ofPartition(partition)
      const [waiting, put] = listOf(await store.call(countEntries, [entries, dead], []))
      return { waiting: numberOf(waiting), dead: numberOf(put) }
    },
    async deadLetters(partition) {
      const { dead } = keys.ofPartition(partition)
      const letters = listOf(await store.command(dead, 'XRANGE', dead, '-', '+', 'COUNT', bounds.deadLetters))
      return letters.map(letterOf)
    },
    get sources() {
      return open.size
    },
    close() {
      for (const source of open.values()) source.closeNow()
    },
  }
}

/** In the order in which the script writes its fields. */
function letterOf(reply: Reply): DeadLetter {
  const [, fields] = listOf(reply)
  const [, request, , kind, , reason, , tries, , at] = listOf(fields)
  return {
    requestId: requestId(textOf(request)),
    kind: textOf(kind),
    reason: textOf(reason),
    tries: numberOf(tries),
    at: numberOf(at),
  }
}
