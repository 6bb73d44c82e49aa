import { describe, expect, it } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { bodiesOf, idsOf, never, outcomePacket, put, putAll, readAll, someRequest } from './entries.ts'

export function ingestLossContract(build: Build<'ingest'>): void {
  describe('a store that lost everything', () => {
    const open = opener(build)

    it('has no entries, outcomes or dead letters any more', async () => {
      const { ingest, empty } = await open()
      const request = someRequest()
      await putAll(ingest, 1, ['done', 'dead', 'read', 'unread'])
      const source = await ingest.own(1)
      const [done, dead] = await readAll(source, 3, 3)
      await source.remove([{ id: done?.id ?? '', outcome: outcomePacket(request) }])
      await source.bury(dead?.id ?? '', 'failed')
      await empty()
      expect(await ingest.backlog(1)).toEqual({ waiting: 0, dead: 0 })
      expect(await ingest.outcome(1, request)).toBeUndefined()
      await put(ingest, 1, 'after')
      expect(bodiesOf(await readAll(await ingest.own(1), 1))).toEqual(['after'])
    })

    it('brings an owner that stays what comes afterwards, also to a read that waited', async () => {
      const { ingest, empty } = await open()
      await putAll(ingest, 1, ['read', 'unread'])
      const source = await ingest.own(1)
      await source.read(1, never())
      await empty()
      await putAll(ingest, 1, ['one', 'two'])
      expect(bodiesOf(await readAll(source, 2))).toEqual(['one', 'two'])

      const waiting = source.read(10, AbortSignal.timeout(10_000))
      await empty()
      await put(ingest, 1, 'three')
      expect(bodiesOf((await waiting).entries)).toEqual(['three'])
    })

    it('never takes an id from before for an entry from after (R11)', async () => {
      const { ingest, empty } = await open()
      const source = await ingest.own(1)
      await putAll(ingest, 1, ['a', 'b', 'c'])
      const before = idsOf(await readAll(source, 3))
      await empty()
      await putAll(ingest, 1, ['d', 'e', 'f'])
      const after = await readAll(source, 3)
      await source.remove(before)
      for (const { id } of before) await source.bury(id, 'failed')
      expect(await ingest.backlog(1)).toEqual({ waiting: 3, dead: 0 })
      expect(after.map(({ tries }) => tries)).toEqual([1, 1, 1])
    })
  })
}
