import { type AnswerId, answerId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { type Build, opener, pass } from '../adapter.ts'
import { eventually } from '../recorder.ts'
import { endPacket, someAnswer, text } from '../samples.ts'
import { append, begin, write } from './writing.ts'

export function cancelContract(build: Build<'answers' | 'bus'>): void {
  describe('cancel', () => {
    const open = opener(build)

    it('signals every worker that listens, and none that has left', async () => {
      const { answers } = await open()
      const [ref, marker] = [someAnswer(), someAnswer()]
      const heard: AnswerId[][] = [[], [], []]
      const leave = await Promise.all(heard.map((ids) => answers.onCancel((id) => ids.push(id))))
      await leave[2]?.()
      await leave[2]?.()
      await begin(answers, ref)
      await answers.cancel(ref)
      await answers.cancel(marker)
      const expected = [ref.answerId, marker.answerId]
      await eventually(() => expect(heard).toEqual([expected, expected, []]))
    })

    it('sets a flag that is read for many answers at once, for signals that were lost (R18)', async () => {
      const { answers } = await open()
      const [one, two, three] = [someAnswer(), someAnswer(), someAnswer()]
      for (const ref of [one, two]) await begin(answers, ref)
      expect(await answers.cancelled([one, two, three])).toEqual([false, false, false])
      await answers.cancel(two)
      await answers.cancel(two)
      expect(await answers.cancelled([one, two, three, two])).toEqual([false, true, false, true])
      expect(await answers.cancelled([])).toEqual([])
    })

    it('ends nothing by itself: the worker goes on until it hears', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, ['text'])
      await answers.cancel(ref)
      expect(await append(answers, ref, 1, 1, 'more')).toBe('accepted')
      expect(await answers.inspect([ref])).toMatchObject([{ state: 'open' }])
    })

    it('holds for attempts that begin later, and makes no record of its own', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await answers.cancel(ref)
      expect(await answers.cancelled([ref])).toEqual([true])
      expect(await answers.inspect([ref])).toEqual([undefined])
      expect(await append(answers, ref, 1, 0, 'x')).toBe('gone')
      expect(await answers.end(ref, 1, endPacket(ref, 1))).toBe('gone')
      expect(await begin(answers, ref, 1)).toBe('begun')
      expect(await answers.cancelled([ref])).toEqual([true])
      expect(await begin(answers, ref, 2)).toBe('begun')
      expect(await answers.cancelled([ref])).toEqual([true])
    })

    it('racing an end leaves the end', async () => {
      const { answers } = await open()
      for (let i = 0; i < 20; i += 1) {
        const ref = someAnswer()
        await write(answers, ref, ['text'])
        const both = [() => answers.cancel(ref), () => answers.end(ref, 1, endPacket(ref, 1))]
        const outcomes = await Promise.all((i % 2 ? both : both.reverse()).map((act) => act()))
        expect(outcomes).toContain('ended')
        const [seen] = await answers.inspect([ref])
        expect(seen).toMatchObject({ attempt: 1, state: 'ended' })
        expect(seen?.end && text(seen.end)).toBe(text(endPacket(ref, 1)))
      }
    })

    it('is forgotten after a time when no answer came of it', async () => {
      const store = await open({ endedMs: 300 })
      const ref = someAnswer({ answerId: answerId('never-begun') })
      await store.answers.cancel(ref)
      await pass(store, 450)
      expect(await store.answers.cancelled([ref])).toEqual([false])
    })
  })
}
