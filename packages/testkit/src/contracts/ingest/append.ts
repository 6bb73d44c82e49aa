import { describe, expect, it } from 'vitest'
import { type Build, opener, pass } from '../adapter.ts'
import { bodiesOf, entryPacket, idsOf, put, putAll, readAll } from './entries.ts'

export function ingestAppendContract(build: Build<'ingest'>): void {
  describe('append', () => {
    const open = opener(build)

    it('brings entries to the owner of their partition whole and in order, whether they came before it or after', async () => {
      const { ingest } = await open()
      const packet = { ...entryPacket(''), body: Uint8Array.from({ length: 256 }, (_, i) => i) }
      expect(await ingest.append({ partition: 5, packet })).toBe('taken')
      const source = await ingest.own(5)
      const [first] = await readAll(source, 1)
      expect(first?.packet.header).toEqual(packet.header)
      expect([...(first?.packet.body ?? [])]).toEqual([...packet.body])

      const bodies = Array.from({ length: 30 }, (_, i) => `entry ${i}`)
      await putAll(ingest, 5, bodies)
      expect(bodiesOf(await readAll(source, 30))).toEqual(bodies)
    })

    it('keeps partitions apart', async () => {
      const { ingest } = await open()
      await put(ingest, 0, 'of 0')
      await put(ingest, 63, 'of 63')
      const [zero, last] = [await ingest.own(0), await ingest.own(63)]
      expect(bodiesOf(await readAll(zero, 1))).toEqual(['of 0'])
      expect(bodiesOf(await readAll(last, 1))).toEqual(['of 63'])
      expect(await ingest.backlog(1)).toEqual({ waiting: 0, dead: 0 })
    })

    it('stamps the deadline in the log’s own time, and none where none was asked (R9)', async () => {
      const store = await open()
      const before = await store.ingest.now()
      await store.ingest.append({ partition: 1, packet: entryPacket('with'), ttlMs: 5_000 })
      const after = await store.ingest.now()
      await put(store.ingest, 1, 'without')
      const [with_, without] = await readAll(await store.ingest.own(1), 2)
      expect(with_?.until).toBeGreaterThanOrEqual(before + 5_000)
      expect(with_?.until).toBeLessThanOrEqual(after + 5_000)
      expect(without).not.toHaveProperty('until')
    })

    it('hands out an entry that is past its deadline all the same, with a clock that says so', async () => {
      const store = await open()
      await store.ingest.append({ partition: 1, packet: entryPacket('late'), ttlMs: 100 })
      await pass(store, 150)
      const { entries, now } = await (await store.ingest.own(1)).read(10, AbortSignal.timeout(5_000))
      expect(bodiesOf(entries)).toEqual(['late'])
      expect(now).toBeGreaterThan(entries[0]?.until ?? Number.NaN)
      expect(await store.ingest.now()).toBeGreaterThanOrEqual(now)
    })

    it('is full at its bound, has room for ends above it, and takes again what was made room for (R7)', async () => {
      const { ingest } = await open({ partitionEntries: 20 })
      await putAll(
        ingest,
        2,
        Array.from({ length: 20 }, (_, i) => `entry ${i}`),
      )
      expect(await put(ingest, 2, 'too many')).toBe('full')
      expect(await put(ingest, 3, 'elsewhere')).toBe('taken')
      const ends = []
      for (let i = 0; i < 4; i += 1) {
        ends.push(await ingest.append({ partition: 2, packet: entryPacket(`end ${i}`), headroom: true }))
      }
      expect(ends).toEqual(['taken', 'taken', 'full', 'full'])
      expect(await ingest.backlog(2)).toEqual({ waiting: 22, dead: 0 })

      const source = await ingest.own(2)
      await source.remove(idsOf((await readAll(source, 22)).slice(0, 3)))
      expect(await put(ingest, 2, 'again')).toBe('taken')
      expect(await put(ingest, 2, 'too many')).toBe('full')
    })

    it('counts its length in the same step, so that many at once do not pass the bound', async () => {
      const { ingest } = await open({ partitionEntries: 20 })
      const taken = await Promise.all(Array.from({ length: 60 }, (_, i) => put(ingest, 2, `entry ${i}`)))
      expect(taken.filter((outcome) => outcome === 'taken')).toHaveLength(20)
      expect(taken.filter((outcome) => outcome === 'full')).toHaveLength(40)
    })

    it('shares no object with whoever appended or reads', async () => {
      const { ingest } = await open()
      const packet = entryPacket('as it was')
      const appending = ingest.append({ partition: 1, packet })
      packet.body.fill(0)
      Object.assign(packet.header, { kind: 'changed' })
      await appending
      const [first] = await readAll(await ingest.own(1), 1)
      first?.packet.body.fill(1)
      const [second] = await readAll(await ingest.own(1), 1)
      expect(bodiesOf(second ? [second] : [])).toEqual(['as it was'])
      expect(second?.packet.header.kind).toBe('send')
    })
  })
}
