import { describe, expect, it } from 'vitest'
import { type Build, opener, pass } from '../adapter.ts'
import { text } from '../samples.ts'
import { bodiesOf, entryPacket, idsOf, outcomePacket, put, putAll, readAll, someRequest } from './entries.ts'

const OUTCOME_MS = 400

export function ingestRemoveContract(build: Build<'ingest'>): void {
  describe('remove', () => {
    const open = opener(build)

    it('takes entries out, in any order; what stays is the backlog', async () => {
      const { ingest } = await open()
      await putAll(ingest, 1, ['a', 'b', 'c', 'd'])
      expect(await ingest.backlog(1)).toEqual({ waiting: 4, dead: 0 })
      const source = await ingest.own(1)
      const [a, b, c, d] = idsOf(await readAll(source, 4))
      await source.remove([c, a].flatMap((done) => done ?? []))
      expect(await ingest.backlog(1)).toEqual({ waiting: 2, dead: 0 })
      const left = await readAll(await ingest.own(1), 2)
      expect(bodiesOf(left)).toEqual(['b', 'd'])
      expect(idsOf(left)).toEqual([b, d])
    })

    it('is harmless for what is not there, and when repeated', async () => {
      const { ingest } = await open()
      await putAll(ingest, 1, ['a', 'b'])
      const source = await ingest.own(1)
      const [a] = idsOf(await readAll(source, 2))
      for (let i = 0; i < 2; i += 1) if (a) await source.remove([a])
      await source.remove([])
      expect(await ingest.backlog(1)).toEqual({ waiting: 1, dead: 0 })
    })

    it('keeps outcomes under their request, for those who ask again (R9)', async () => {
      const { ingest } = await open()
      const [done, other, none] = [someRequest(), someRequest(), someRequest()]
      await putAll(ingest, 1, ['a', 'b'])
      const source = await ingest.own(1)
      const [a, b] = await readAll(source, 2)
      await source.remove([
        { id: a?.id ?? '', outcome: outcomePacket(done, 'yes') },
        { id: b?.id ?? '', outcome: outcomePacket(other, 'no') },
      ])
      const kept = await ingest.outcome(1, done)
      expect(kept?.header).toEqual({ requestId: done, class: 'outcome' })
      expect(kept && text(kept)).toBe('yes')
      expect((await ingest.outcome(1, other))?.body.length).toBe(2)
      expect(await ingest.outcome(1, none)).toBeUndefined()
    })

    it('keeps the outcome of an entry that somebody else removed first', async () => {
      const { ingest } = await open()
      const request = someRequest()
      await put(ingest, 1, 'a')
      const source = await ingest.own(1)
      const [a] = idsOf(await readAll(source, 1))
      if (!a) throw new Error('nothing was read')
      await source.remove([a])
      await source.remove([{ ...a, outcome: outcomePacket(request) }])
      expect(await ingest.outcome(1, request)).toBeDefined()
    })

    it('forgets an outcome after its time', async () => {
      const store = await open({ outcomeMs: OUTCOME_MS })
      const request = someRequest()
      await put(store.ingest, 1, 'a')
      const source = await store.ingest.own(1)
      const [a] = idsOf(await readAll(source, 1))
      await source.remove([{ id: a?.id ?? '', outcome: outcomePacket(request) }])
      await pass(store, OUTCOME_MS / 2)
      expect(await store.ingest.outcome(1, request)).toBeDefined()
      await pass(store, OUTCOME_MS)
      expect(await store.ingest.outcome(1, request)).toBeUndefined()
    })
  })

  describe('bury', () => {
    const open = opener(build)

    it('puts an entry aside: it is counted as dead, never read again, and its outcome is kept (R7)', async () => {
      const { ingest } = await open()
      const request = someRequest()
      await putAll(ingest, 1, ['poison', 'good'])
      const source = await ingest.own(1)
      const [poison] = await readAll(source, 2)
      for (let i = 0; i < 2; i += 1) {
        await source.bury(poison?.id ?? '', 'failed', outcomePacket(request, 'internal'))
        expect(await ingest.backlog(1)).toEqual({ waiting: 1, dead: 1 })
      }
      expect(bodiesOf(await readAll(await ingest.own(1), 1))).toEqual(['good'])
      const outcome = await ingest.outcome(1, request)
      expect(outcome && text(outcome)).toBe('internal')
    })

    it('keeps of it what finds it in a log, and nothing of what was asked for: it would outlive an erasure (R22)', async () => {
      const { ingest } = await open()
      const request = someRequest()
      await ingest.append({ partition: 1, packet: entryPacket('what a user said', request) })
      await readAll(await ingest.own(1), 1)
      const source = await ingest.own(1)
      const [poison] = await readAll(source, 1)
      const before = await ingest.now()
      await source.bury(poison?.id ?? '', 'failed')
      const letters = await ingest.deadLetters(1)
      expect(letters).toEqual([
        { requestId: request, kind: 'send', reason: 'failed', tries: 2, at: expect.any(Number) },
      ])
      expect(letters[0]?.at).toBeGreaterThanOrEqual(before)
      expect(letters[0]?.at).toBeLessThanOrEqual(await ingest.now())
      expect(await ingest.deadLetters(2)).toEqual([])
    })

    it('keeps a bounded number of them (P10)', async () => {
      const { ingest } = await open({ deadLetters: 5 })
      await putAll(
        ingest,
        1,
        Array.from({ length: 12 }, (_, i) => `entry ${i}`),
      )
      const source = await ingest.own(1)
      const entries = await readAll(source, 12)
      for (const { id } of entries) await source.bury(id, 'failed')
      expect(await ingest.backlog(1)).toEqual({ waiting: 0, dead: 5 })
      const latest = entries.slice(-5).map(({ packet }) => packet.header.requestId)
      expect((await ingest.deadLetters(1)).map(({ requestId }) => requestId)).toEqual(latest)
    })
  })
}
