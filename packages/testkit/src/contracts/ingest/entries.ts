import { randomUUID } from 'node:crypto'
import {
  type Entry,
  type EntryPacket,
  type EntrySource,
  type Ingest,
  type OutcomePacket,
  type RequestId,
  requestId,
} from '@chatbox/core'
import { bytes, text } from '../samples.ts'

export const someRequest = (): RequestId => requestId(`r-${randomUUID().slice(0, 13)}`)

export const entryPacket = (body: string, id = someRequest()): EntryPacket => ({
  header: { requestId: id, kind: 'send' },
  body: bytes(body),
})

export const outcomePacket = (id: RequestId, body = 'done'): OutcomePacket => ({
  header: { requestId: id, class: 'outcome' },
  body: bytes(body),
})

export const put = (ingest: Ingest, partition: number, body: string) =>
  ingest.append({ partition, packet: entryPacket(body) })

export async function putAll(ingest: Ingest, partition: number, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) {
    const taken = await put(ingest, partition, body)
    if (taken !== 'taken') throw new Error(`${body}: ${taken}`)
  }
}

export const never = (): AbortSignal => new AbortController().signal

/** Reads until that many have come. */
export async function readAll(source: EntrySource, count: number, max = 100): Promise<Entry[]> {
  const entries: Entry[] = []
  while (entries.length < count) entries.push(...(await source.read(max, AbortSignal.timeout(5_000))).entries)
  return entries
}

export const bodiesOf = (entries: readonly Entry[]): string[] => entries.map(({ packet }) => text(packet))
export const idsOf = (entries: readonly Entry[]) => entries.map(({ id }) => ({ id }))
