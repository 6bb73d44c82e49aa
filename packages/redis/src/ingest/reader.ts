import { type Entry, type EntryHeader, type EntryPacket, requestId } from '@chatbox/core'
import { bytesOf, listOf, numberOf, type Reply, textOf } from '../connection/script.ts'
import type { Store } from '../connection/store.ts'
import { packetOf } from '../packets.ts'
import { entryId } from './entry-id.ts'
import { readEntries } from './scripts.ts'

/** Reads one partition forward. What it has fetched stays until it is taken, because its tries are counted. */
export interface Reader {
  take(max: number): { readonly entries: Entry[]; readonly now: number } | undefined
  /** Brings what comes next, if there is anything. Whoever asks meanwhile shares it. */
  fetch(max: number): Promise<void>
  /** Something can be taken. */
  readonly any: boolean
}

/** A reply is not much longer; entries are at most a few hundred KiB. */
const ENOUGH_BYTES = 1024 * 1024
const HEAD = ''

export function createReader(store: Store, keys: { readonly entries: string; readonly tries: string }): Reader {
  let run: string | undefined
  let cursor = HEAD
  let fetched: Entry[] = []
  let fetching: Promise<void> | undefined
  let serverTime = { ms: 0, at: 0 }

  async function fetch(max: number): Promise<void> {
    const { reply, run: asked } = await store.callIn(readEntries, [keys.entries, keys.tries], (now) => {
      // It may have come back older or with nothing: what is there now comes again, under ids of this life.
      if (now !== run) cursor = HEAD
      run = now
      return [cursor, max, ENOUGH_BYTES]
    })
    const [now, exists, entries] = listOf(reply)
    serverTime = { ms: numberOf(now), at: performance.now() }
    if (numberOf(exists) === 0) cursor = HEAD
    for (const entry of listOf(entries)) {
      const { streamId, ...rest } = entryOf(entry)
      fetched.push({ id: entryId(asked, streamId), ...rest })
      cursor = streamId
    }
  }

  return {
    take(max) {
      if (fetched.length === 0) return undefined
      const entries = fetched.slice(0, max)
      fetched = fetched.slice(max)
      return { entries, now: serverTime.ms + Math.floor(performance.now() - serverTime.at) }
    },
    fetch(max) {
      fetching ??= fetch(max).finally(() => {
        fetching = undefined
      })
      return fetching
    },
    get any() {
      return fetched.length > 0
    },
  }
}

function entryOf(reply: Reply): Omit<Entry, 'id'> & { readonly streamId: string } {
  const [id, tries, packet, deadline] = listOf(reply)
  return {
    streamId: textOf(id),
    packet: readable(bytesOf(packet)),
    tries: numberOf(tries),
    ...(textOf(deadline) !== '' && { until: numberOf(deadline) }),
  }
}

/** What was written by nobody of us does not open either, and is put aside as such; it must not hold up the partition. */
function readable(bytes: Buffer): EntryPacket {
  try {
    return packetOf<EntryHeader>(bytes)
  } catch {
    return { header: { requestId: requestId('unreadable'), kind: 'unreadable' }, body: bytes }
  }
}
