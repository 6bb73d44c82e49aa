import { describe, expect, it } from 'vitest'
import { type Build, opener, pass } from '../adapter.ts'
import { record, textsHeardBy } from '../recorder.ts'
import { endPacket, someAnswer, text, texts } from '../samples.ts'
import { append, begin, openText, write } from './writing.ts'

const ENDED_MS = 400

export function closeContract(build: Build<'answers' | 'bus'>): void {
  describe('close', () => {
    const open = opener(build)

    it('gives the exact text and lets nothing follow', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['a', 'b'], 2)
      const heard = await record(bus, ref.uid)
      const closed = await answers.close(ref)
      expect(closed).toMatchObject({ ref, attempt: 2 })
      expect(texts(closed.chunks)).toEqual(['a', 'b'])
      expect(closed).not.toHaveProperty('end')

      expect(await append(answers, ref, 2, 2, 'c')).toBe('ended')
      for (const attempt of [3, 4]) expect(await begin(answers, ref, attempt)).toBe('ended')
      expect(await answers.end(ref, 2, endPacket(ref, 2))).toBe('stale')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual([])
      expect(await openText(answers, ref)).toBeUndefined()
      expect(await answers.inspect([ref])).toMatchObject([{ attempt: 2, state: 'ended' }])
    })

    it('gives the same when repeated', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['a', 'b'])
      const closed = await answers.close(ref)
      await answers.end(ref, 1, endPacket(ref, 1))
      expect(await answers.close(ref)).toEqual(closed)
    })

    it('leaves a mark where there is no record, so that no attempt can begin', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      const heard = await record(bus, ref.uid)
      expect(await answers.close(ref)).toEqual({ ref, attempt: 0, chunks: [] })
      for (const attempt of [1, 2]) expect(await begin(answers, ref, attempt)).toBe('ended')
      expect(await append(answers, ref, 1, 0, 'x')).toBe('ended')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual([])
      const [seen] = await answers.inspect([ref])
      expect(seen).toMatchObject({ attempt: 0, state: 'ended' })
      expect(seen).not.toHaveProperty('end')
    })

    it('gives the end that a worker recorded before, which stays, in the place of the chunks', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['text'])
      await answers.end(ref, 1, endPacket(ref, 1, 'done'))
      for (let i = 0; i < 2; i += 1) {
        const closed = await answers.close(ref)
        expect(closed.chunks).toEqual([])
        expect(closed.end?.header).toEqual(endPacket(ref, 1).header)
        expect(closed.end && text(closed.end)).toBe('done')
      }
      expect(await answers.end(ref, 1, endPacket(ref, 1, 'again'))).toBe('ended')
      expect(await begin(answers, ref, 2)).toBe('ended')
    })

    it('leaves other answers of the session alone', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      const other = someAnswer({ uid: ref.uid, sid: ref.sid })
      await write(answers, ref, ['a'])
      await write(answers, other, ['b'])
      await answers.close(ref)
      expect(await append(answers, other, 1, 1, 'c')).toBe('accepted')
    })

    it('racing the worker’s end agrees with it on who was first', async () => {
      const { answers } = await open()
      for (let round = 0; round < 20; round += 1) {
        const ref = someAnswer()
        await write(answers, ref, ['text'])
        const close = () => answers.close(ref)
        const end = () => answers.end(ref, 1, endPacket(ref, 1))
        const [closed, ended] = await (round % 2
          ? Promise.all([close(), end()])
          : Promise.all([end(), close()]).then(([e, c]) => [c, e] as const))
        expect(ended).toBe(closed.end ? 'ended' : 'stale')
        expect(await answers.close(ref)).toEqual(closed)
      }
    })

    it('racing a begin leaves no attempt open', async () => {
      const { answers } = await open()
      for (let round = 0; round < 20; round += 1) {
        const ref = someAnswer()
        const begun = begin(answers, ref)
        const closed = await answers.close(ref)
        expect(await begun).toBe(closed.attempt === 1 ? 'begun' : 'ended')
        expect(await openText(answers, ref)).toBeUndefined()
        expect(await begin(answers, ref, 2)).toBe('ended')
      }
    })

    it('gives exactly the chunks that were accepted before it', async () => {
      const { answers } = await open()
      for (let round = 0; round < 10; round += 1) {
        const ref = someAnswer()
        await begin(answers, ref)
        const outcomes = Array.from({ length: 20 }, (_, index) => append(answers, ref, 1, index, `${index} `))
        const closing = answers.close(ref)
        const late = Array.from({ length: 20 }, (_, index) => append(answers, ref, 1, 20 + index, 'late'))
        const accepted = (await Promise.all([...outcomes, ...late])).filter((outcome) => outcome === 'accepted').length
        expect(texts((await closing).chunks)).toEqual(Array.from({ length: accepted }, (_, index) => `${index} `))
      }
    })

    it('is kept for its time after the last close', async () => {
      const store = await open({ endedMs: ENDED_MS })
      const ref = someAnswer()
      await store.answers.close(ref)
      await pass(store, ENDED_MS * 0.7)
      await store.answers.close(ref)
      await pass(store, ENDED_MS * 0.7)
      expect(await begin(store.answers, ref)).toBe('ended')
      await pass(store, ENDED_MS)
      expect(await store.answers.inspect([ref])).toEqual([undefined])
    })
  })
}
