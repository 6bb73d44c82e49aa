import { describe, expect, it } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { bodiesOf, idsOf, never, put, putAll, readAll } from './entries.ts'

export function ingestReadContract(build: Build<'ingest'>): void {
  describe('read', () => {
    const open = opener(build)

    it('gives at most as many as asked, each once, the next ones after those already read', async () => {
      const { ingest } = await open()
      await putAll(ingest, 1, ['a', 'b', 'c', 'd', 'e'])
      const source = await ingest.own(1)
      expect(bodiesOf((await source.read(2, never())).entries)).toEqual(['a', 'b'])
      const rest = await readAll(source, 3, 2)
      expect(bodiesOf(rest)).toEqual(['c', 'd', 'e'])
      await put(ingest, 1, 'f')
      expect(bodiesOf((await source.read(10, never())).entries)).toEqual(['f'])
    })

    it('waits until there is an entry', async () => {
      const { ingest } = await open()
      const source = await ingest.own(1)
      let woken = false
      const reading = source.read(10, AbortSignal.timeout(5_000)).then((read) => {
        woken = true
        return read
      })
      await put(ingest, 2, 'of another partition')
      await ingest.backlog(1)
      expect(woken).toBe(false)
      await put(ingest, 1, 'at last')
      expect(bodiesOf((await reading).entries)).toEqual(['at last'])
    })

    it('rejects with the signal’s reason, before or while it waits, and loses nothing by it', async () => {
      const { ingest } = await open()
      const source = await ingest.own(1)
      const reason = new Error('stopping')
      await expect(source.read(10, AbortSignal.abort(reason))).rejects.toBe(reason)
      const stop = new AbortController()
      const reading = source.read(10, stop.signal)
      stop.abort(reason)
      await expect(reading).rejects.toBe(reason)

      await put(ingest, 1, 'later')
      const [entry] = await readAll(source, 1)
      expect([entry && bodiesOf([entry]), entry?.tries]).toEqual([['later'], 1])
    })

    it('loses no entry that comes while it is being aborted', async () => {
      const { ingest } = await open()
      const source = await ingest.own(1)
      const seen: string[] = []
      for (let i = 0; i < 20; i += 1) {
        const stop = new AbortController()
        const reading = source.read(10, stop.signal).then(
          ({ entries }) => seen.push(...bodiesOf(entries)),
          () => undefined,
        )
        const putting = put(ingest, 1, String(i))
        if (i % 2) stop.abort(new Error('stopping'))
        await putting
        stop.abort(new Error('stopping'))
        await reading
      }
      seen.push(...bodiesOf(await readAll(await ingest.own(1), 20)))
      expect(new Set(seen)).toEqual(new Set(Array.from({ length: 20 }, (_, i) => String(i))))
    })

    it('begins at the head for a new owner, and counts its tries (R7)', async () => {
      const { ingest } = await open()
      await putAll(ingest, 1, ['a', 'b', 'c'])
      const first = await ingest.own(1)
      const [a, ...others] = await readAll(first, 3)
      expect([a, ...others].map((entry) => entry?.tries)).toEqual([1, 1, 1])
      await first.remove([{ id: a?.id ?? '' }])
      await put(ingest, 1, 'd')

      for (const round of [1, 2]) {
        const next = await readAll(await ingest.own(1), 3)
        expect(bodiesOf(next)).toEqual(['b', 'c', 'd'])
        expect(idsOf(next.slice(0, 2))).toEqual(idsOf(others))
        expect(next.map(({ tries }) => tries)).toEqual([round + 1, round + 1, round])
      }
    })

    it('brings what an earlier owner has read one by one, so that none is counted as begun that was only behind another (R7)', async () => {
      const { ingest } = await open()
      await putAll(ingest, 1, ['deadly', 'b', 'c'])
      expect(bodiesOf(await readAll(await ingest.own(1), 3))).toEqual(['deadly', 'b', 'c'])
      // Each dies of the first one.
      for (const tries of [2, 3, 4]) {
        const { entries } = await (await ingest.own(1)).read(10, AbortSignal.timeout(5_000))
        expect(entries.map((entry) => [...bodiesOf([entry]), entry.tries])).toEqual([['deadly', tries]])
      }
      const next = await ingest.own(1)
      const [deadly] = await readAll(next, 1)
      await next.bury(deadly?.id ?? '', 'failed')
      expect((await readAll(next, 2)).map(({ tries }) => tries)).toEqual([2, 2])
    })

    it('is over for an earlier source of this process, also for a read that waits', async () => {
      const { ingest } = await open()
      const first = await ingest.own(1)
      const waiting = expect(first.read(10, never())).rejects.toThrow()
      const second = await ingest.own(1)
      await waiting
      await put(ingest, 1, 'entry')
      expect(bodiesOf(await readAll(second, 1))).toEqual(['entry'])
      await expect(first.read(10, never())).rejects.toThrow()
    })

    it('is left to one source when several are made at once', async () => {
      const { ingest } = await open()
      await putAll(ingest, 1, ['a', 'b'])
      const sources = await Promise.all(Array.from({ length: 8 }, () => ingest.own(1)))
      const reads = await Promise.allSettled(sources.map((source) => source.read(10, AbortSignal.timeout(1_000))))
      const [read, ...others] = reads.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      expect(others).toEqual([])
      expect(bodiesOf(read?.entries ?? [])).toEqual(['a', 'b'])
    })

    it('is over after a close, which may come twice', async () => {
      const { ingest } = await open()
      const source = await ingest.own(1)
      const waiting = expect(source.read(10, never())).rejects.toThrow()
      await source.close()
      await source.close()
      await waiting
      await expect(source.read(10, never())).rejects.toThrow()
      await put(ingest, 1, 'entry')
      expect(bodiesOf(await readAll(await ingest.own(1), 1))).toEqual(['entry'])
    })
  })
}
