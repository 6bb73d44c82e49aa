import { describe, expect, it } from 'vitest'
import { answered, asked, atOnce, someAnswer, someAnswerId, someEnd, someFeedback, someSid, someStub } from './rows.ts'
import type { Texts } from './store.ts'

export function ratingsContract(store: () => Texts): void {
  describe('what a user thinks of an answer', () => {
    it('is kept with it, as it was said last, until it is taken back', async () => {
      const { sid, answerId, turn } = await answered(store())
      const { comment: _, ...bare } = someFeedback({ rating: 'down', ts: 9 })
      for (const feedback of [someFeedback(), bare, someFeedback({ comment: '' })]) {
        expect(await store().rateAnswer(sid, answerId, feedback)).toBe(true)
        expect(await store().turn(sid, 1)).toEqual({ ...turn, answer: { ...turn.answer, feedback } })
      }
      for (let time = 0; time < 2; time += 1) {
        expect(await store().rateAnswer(sid, answerId, undefined)).toBe(true)
        expect(await store().turn(sid, 1)).toEqual(turn)
      }
    })

    it('is refused of an answer that is not done', async () => {
      const { sid, answerId } = await asked(store())
      expect(await store().rateAnswer(sid, answerId, someFeedback())).toBe(false)
      await store().endAnswer(sid, answerId, someEnd({ status: 'cancelled' }))
      expect(await store().rateAnswer(sid, answerId, someFeedback())).toBe(false)
      const failed = await answered(store(), { status: 'failed', error: 'internal' })
      expect(await store().rateAnswer(failed.sid, failed.answerId, someFeedback())).toBe(false)
      expect((await store().turn(sid, 1))?.answer).not.toHaveProperty('feedback')
    })

    it('is refused of an answer that is not there, here or at all', async () => {
      const { sid, answerId, turn } = await answered(store())
      expect(await store().rateAnswer(sid, someAnswerId(), someFeedback())).toBe(false)
      expect(await store().rateAnswer(someSid(), answerId, someFeedback())).toBe(false)
      expect(await store().turn(sid, 1)).toEqual(turn)
    })

    it('stays with an answer that is superseded, and can’t be changed any more', async () => {
      const { sid, answerId, turn } = await answered(store())
      const feedback = someFeedback({ rating: 'down' })
      await store().rateAnswer(sid, answerId, feedback)
      const next = someAnswer()
      await store().supersede(sid, 1, answerId, next)
      const rated = { ...turn, answer: next, superseded: [{ ...turn.answer, feedback }] }
      expect(await store().turn(sid, 1)).toEqual(rated)
      for (const other of [someFeedback(), undefined]) {
        expect(await store().rateAnswer(sid, answerId, other)).toBe(false)
      }
      expect(await store().turn(sid, 1)).toEqual(rated)
    })

    it('is one whole of what 20 said at once', async () => {
      const { sid, answerId } = await answered(store())
      const said = Array.from({ length: 20 }, (_, i) =>
        someFeedback({ rating: i % 2 === 0 ? 'up' : 'down', comment: `by ${i}`, ts: i + 1 }),
      )
      const outcomes = await atOnce(20, (i) => store().rateAnswer(sid, answerId, said[i]))
      expect(outcomes.every(Boolean)).toBe(true)
      expect(said).toContainEqual((await store().turn(sid, 1))?.answer?.feedback)
    })

    it('is kept where it was told so, and nowhere else, when the answer is superseded meanwhile', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { sid, answerId } = await answered(store())
        const feedback = someFeedback()
        const calls = [
          () => store().rateAnswer(sid, answerId, feedback),
          () => store().supersede(sid, 1, answerId, someAnswer()),
        ]
        const [one, other] = await Promise.all((round % 2 === 0 ? calls : calls.toReversed()).map((call) => call()))
        const [rated, superseded] = round % 2 === 0 ? [one, other] : [other, one]
        const turn = await store().turn(sid, 1)
        expect(superseded).toBe(true)
        expect(turn?.superseded.map((old) => old.feedback)).toEqual([rated ? feedback : undefined])
        expect(turn?.answer).not.toHaveProperty('feedback')
      }
    })

    it('is refused in an erased session', async () => {
      const { sid, answerId } = await answered(store())
      await store().eraseTurns(sid, someStub({ sid, seq: 3 }))
      const before = await store().turn(sid, 1)
      for (const feedback of [someFeedback(), undefined]) {
        expect(await store().rateAnswer(sid, answerId, feedback)).toBe(false)
      }
      expect(await store().turn(sid, 1)).toEqual(before)
    })
  })
}
