import { describe, expect, it } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { heardBy, record, textsHeardBy } from '../recorder.ts'
import { chunk, chunkPacket, endPacket, someAnswer, text, texts } from '../samples.ts'
import { append, begin, openText, write } from './writing.ts'

export function appendContract(build: Build<'answers' | 'bus'>): void {
  describe('append', () => {
    const open = opener(build)

    it('publishes each chunk as it came, as a signal, in order, and leaves the log alone', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await begin(answers, ref)
      const top = await bus.top(ref.uid)
      const heard = await record(bus, ref.uid)
      const bodies = ['He', 'll', 'o']
      for (const [index, body] of bodies.entries()) expect(await append(answers, ref, 1, index, body)).toBe('accepted')

      const events = await heardBy(bus, ref.uid, heard)
      expect(events.map(({ packet }) => text(packet))).toEqual(bodies)
      expect(events.map(({ packet }) => packet.header)).toEqual(
        bodies.map((body, index) => chunkPacket(ref, 1, index, body).header),
      )
      expect(events.map(({ position }) => position)).toEqual([undefined, undefined, undefined])
      expect(await bus.top(ref.uid)).toEqual(top)
    })

    it('answers for each chunk of a call, in their order, over users and answers (R15)', async () => {
      const { answers } = await open()
      const [one, two, unknown, stale] = [someAnswer(), someAnswer(), someAnswer(), someAnswer()]
      await begin(answers, one)
      await begin(answers, two)
      await begin(answers, stale, 2)
      const outcomes = await answers.append([
        chunk(one, 1, 0, 'a'),
        chunk(unknown, 1, 0, 'x'),
        chunk(two, 1, 0, 'b'),
        chunk(one, 1, 1, 'c'),
        chunk(stale, 1, 0, 'x'),
        chunk(two, 1, 0, 'b'),
      ])
      expect(outcomes).toEqual(['accepted', 'gone', 'accepted', 'accepted', 'stale', 'accepted'])
      expect([await openText(answers, one), await openText(answers, two)]).toEqual(['ac', 'b'])
      expect(await answers.append([])).toEqual([])
    })

    it('accepts a chunk that comes again, and neither keeps nor publishes it twice (R14)', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['one', 'two'])
      const heard = await record(bus, ref.uid)
      expect(await append(answers, ref, 1, 0, 'one')).toBe('accepted')
      expect(await append(answers, ref, 1, 1, 'two')).toBe('accepted')
      expect(await append(answers, ref, 1, 2, 'three')).toBe('accepted')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual(['three'])
      expect(await openText(answers, ref)).toBe('onetwothree')
    })

    it('takes one chunk once when it is sent many times at once', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await begin(answers, ref)
      const heard = await record(bus, ref.uid)
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => append(answers, ref, 1, 0, 'once')))
      expect(new Set(outcomes)).toEqual(new Set(['accepted']))
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual(['once'])
      expect(await openText(answers, ref)).toBe('once')
    })

    it('is gone where the store holds no record, or has forgotten chunks before this one', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      expect(await append(answers, ref, 1, 0, 'x')).toBe('gone')
      await write(answers, ref, ['one'])
      const heard = await record(bus, ref.uid)
      expect(await append(answers, ref, 1, 2, 'three')).toBe('gone')
      expect(await append(answers, ref, 2, 0, 'of an attempt that has not begun')).toBe('gone')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual([])
      expect(await append(answers, ref, 1, 1, 'two')).toBe('accepted')
      expect(await openText(answers, ref)).toBe('onetwo')
    })

    it('is stale for a ghost, of whom nothing is kept or published (P6)', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['ghost'])
      await begin(answers, ref, 2)
      const heard = await record(bus, ref.uid)
      expect(await append(answers, ref, 1, 1, 'ghost')).toBe('stale')
      expect(await append(answers, ref, 1, 0, 'ghost')).toBe('stale')
      expect(await append(answers, ref, 2, 0, 'heir')).toBe('accepted')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual(['heir'])
      expect(await openText(answers, ref)).toBe('heir')
    })

    it('mixes no two attempts when a ghost goes on beside its heir', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await begin(answers, ref, 1)
      const writing = async (attempt: number, word: string) => {
        for (let index = 0; index < 50; index += 1) {
          if ((await append(answers, ref, attempt, index, word)) !== 'accepted') return
        }
      }
      const ghost = writing(1, 'g')
      await begin(answers, ref, 2)
      await Promise.all([ghost, writing(2, 'h')])
      const closed = await answers.close(ref)
      expect(closed.attempt).toBe(2)
      expect(texts(closed.chunks).join('')).toBe('h'.repeat(50))
    })

    it('is refused as ended after the attempt’s end, a chunk that was accepted before included', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['text'])
      await answers.end(ref, 1, endPacket(ref, 1))
      const heard = await record(bus, ref.uid)
      expect(await append(answers, ref, 1, 1, 'more')).toBe('ended')
      expect(await append(answers, ref, 1, 0, 'text')).toBe('ended')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual([])
    })

    it('is full when the text would become too long; what was accepted stays, and can be ended (R14)', async () => {
      const { answers, bus } = await open({ answerBytes: 1_000 })
      const ref = someAnswer()
      await begin(answers, ref)
      const heard = await record(bus, ref.uid)
      let accepted = 0
      while ((await append(answers, ref, 1, accepted, 'x'.repeat(300))) === 'accepted') {
        accepted += 1
        expect(accepted).toBeLessThan(4)
      }
      expect(accepted).toBeGreaterThan(0)
      expect(await append(answers, ref, 1, accepted, 'x'.repeat(300))).toBe('full')
      expect(await textsHeardBy(bus, ref.uid, heard)).toHaveLength(accepted)
      expect(await openText(answers, ref)).toHaveLength(accepted * 300)
      expect(await answers.end(ref, 1, endPacket(ref, 1))).toBe('ended')
    })

    it('shares no object with whoever appended or reads', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await begin(answers, ref)
      const sent = chunk(ref, 1, 0, 'as it was')
      const appending = answers.append([sent])
      sent.chunk.body.fill(0)
      await appending
      ;(await answers.snapshot(ref.uid)).open[0]?.chunks[0]?.body.fill(1)
      expect(await openText(answers, ref)).toBe('as it was')
    })
  })
}
