import { describe, expect, it } from 'vitest'
import { type Build, opener, pass } from '../adapter.ts'
import { record, textsHeardBy } from '../recorder.ts'
import { endPacket, someAnswer, text } from '../samples.ts'
import { append, begin, openText, write } from './writing.ts'

const ENDED_MS = 400

export function endContract(build: Build<'answers' | 'bus'>): void {
  describe('end', () => {
    const open = opener(build)

    it('is recorded for whoever inspects, and the answer is open no more', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['text'])
      const heard = await record(bus, ref.uid)
      expect(await answers.end(ref, 1, endPacket(ref, 1, 'done'))).toBe('ended')
      const [seen] = await answers.inspect([ref])
      expect(seen).toMatchObject({ attempt: 1, state: 'ended', end: { header: endPacket(ref, 1).header } })
      expect(seen?.end && text(seen.end)).toBe('done')
      expect(await openText(answers, ref)).toBeUndefined()
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual([])
    })

    it('may be repeated; the first one stays', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['text'])
      expect(await answers.end(ref, 1, endPacket(ref, 1, 'first'))).toBe('ended')
      expect(await answers.end(ref, 1, endPacket(ref, 1, 'again'))).toBe('ended')
      const [seen] = await answers.inspect([ref])
      expect(seen?.end && text(seen.end)).toBe('first')
    })

    it('is stale for a ghost, whose heir goes on (P6)', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await begin(answers, ref, 1)
      await begin(answers, ref, 2)
      expect(await answers.end(ref, 1, endPacket(ref, 1))).toBe('stale')
      expect(await append(answers, ref, 2, 0, 'heir')).toBe('accepted')
      expect(await answers.end(ref, 2, endPacket(ref, 2))).toBe('ended')
      expect(await answers.end(ref, 1, endPacket(ref, 1))).toBe('stale')
      expect(await answers.inspect([ref])).toMatchObject([{ end: { header: { attempt: 2 } } }])
    })

    it('is gone without a record of the attempt', async () => {
      const { answers, empty } = await open()
      const ref = someAnswer()
      expect(await answers.end(ref, 1, endPacket(ref, 1))).toBe('gone')
      await write(answers, ref, ['text'])
      expect(await answers.end(ref, 2, endPacket(ref, 2))).toBe('gone')
      expect(await answers.inspect([ref])).toMatchObject([{ attempt: 1, state: 'open' }])
      await empty()
      expect(await answers.end(ref, 1, endPacket(ref, 1))).toBe('gone')
    })

    it('racing appends is the last word: no chunk is shown that was not accepted', async () => {
      const { answers, bus } = await open()
      for (let round = 0; round < 10; round += 1) {
        const ref = someAnswer()
        await begin(answers, ref)
        const heard = await record(bus, ref.uid)
        const appends = Array.from({ length: 10 }, (_, index) => append(answers, ref, 1, index, `${index} `))
        const ending = answers.end(ref, 1, endPacket(ref, 1))
        const late = Array.from({ length: 5 }, (_, i) => append(answers, ref, 1, 10 + i, `${10 + i} `))
        const outcomes = await Promise.all([...appends, ...late])
        expect(await ending).toBe('ended')
        const accepted = outcomes.filter((outcome) => outcome === 'accepted').length
        expect(await textsHeardBy(bus, ref.uid, heard)).toEqual(
          Array.from({ length: accepted }, (_, index) => `${index} `),
        )
      }
    })

    it('is kept for its time and no longer (R14)', async () => {
      const store = await open({ endedMs: ENDED_MS })
      const ref = someAnswer()
      await write(store.answers, ref, ['text'])
      await store.answers.end(ref, 1, endPacket(ref, 1))
      await pass(store, ENDED_MS / 2)
      expect(await store.answers.inspect([ref])).toMatchObject([{ state: 'ended' }])
      await pass(store, ENDED_MS)
      expect(await store.answers.inspect([ref])).toEqual([undefined])
      expect(await append(store.answers, ref, 1, 1, 'x')).toBe('gone')
    })
  })

  describe('inspect', () => {
    const open = opener(build)

    it('answers for each reference, in order', async () => {
      const { answers } = await open()
      const [opened, ended, unknown] = [someAnswer(), someAnswer(), someAnswer()]
      await begin(answers, opened, 4)
      await begin(answers, ended, 1)
      await answers.end(ended, 1, endPacket(ended, 1))
      const seen = await answers.inspect([unknown, ended, opened])
      expect(seen.map((one) => one && [one.attempt, one.state])).toEqual([undefined, [1, 'ended'], [4, 'open']])
      expect(await answers.inspect([])).toEqual([])
    })

    it('tells how long ago the last begin or append was, by the store’s clock', async () => {
      const store = await open()
      const ref = someAnswer()
      const idle = async () => (await store.answers.inspect([ref]))[0]?.idleMs ?? Number.NaN
      await begin(store.answers, ref)
      await pass(store, 300)
      expect(await idle()).toBeGreaterThanOrEqual(290)
      await append(store.answers, ref, 1, 0, 'text')
      expect(await idle()).toBeLessThan(250)
      await pass(store, 300)
      await append(store.answers, ref, 1, 0, 'text')
      expect(await idle()).toBeLessThan(250)
      await pass(store, 300)
      await begin(store.answers, ref, 2)
      expect(await idle()).toBeLessThan(250)
    })
  })
}
