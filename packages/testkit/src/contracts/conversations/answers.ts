import { describe, expect, it } from 'vitest'
import { asked, atOnce, created, someAnswer, someAnswerId, someEnd, someLine, someSid } from './rows.ts'
import type { Texts } from './store.ts'

export function answersContract(store: () => Texts): void {
  const answerAt = async (sid: ReturnType<typeof someSid>, seq = 1) => (await store().turn(sid, seq))?.answer

  describe('beginning an attempt', () => {
    it('goes from the attempt that is known to the next, and gives turn and session as they are then', async () => {
      const { sid, question, answerId } = await asked(store(), { due: 99 })
      await store().changePending(sid, answerId, { n: 0 }, { cancelAt: 77 })
      await store().changeSession(sid, 0, { ownerEpoch: 5, adminAssisted: true })
      const turn = { ...question, answer: { ...question.answer, attempt: 1, cancelAt: 77 } }
      const session = await store().session(sid)
      expect(session).toMatchObject({ ownerEpoch: 5, adminAssisted: true, rev: 1 })
      expect(await store().beginAttempt(sid, answerId, 0, 'fresh')).toEqual({ turn, session })
      expect(await store().turn(sid, 1)).toEqual(turn)
    })

    it('counts a fault as a fault, a lost record as handed back, and neither where nobody said (R13)', async () => {
      const { sid, answerId } = await asked(store())
      for (const [from, cause] of (['fresh', 'fault', 'gone', 'fresh', 'fault'] as const).entries()) {
        expect(await store().beginAttempt(sid, answerId, from, cause)).toBeDefined()
      }
      expect(await answerAt(sid)).toMatchObject({ attempt: 5, faults: 2, handbacks: 1 })
    })

    it('is refused from any other attempt, and changes nothing', async () => {
      const { sid, answerId } = await asked(store(), { attempt: 2, faults: 1 })
      for (const from of [0, 1, 3]) {
        expect(await store().beginAttempt(sid, answerId, from, 'fault')).toBeUndefined()
      }
      expect(await answerAt(sid)).toMatchObject({ attempt: 2, faults: 1, handbacks: 0 })
    })

    it('is refused when the answer has ended, and where there is none', async () => {
      const { sid, answerId } = await asked(store())
      expect(await store().beginAttempt(sid, someAnswerId(), 0, 'fresh')).toBeUndefined()
      expect(await store().beginAttempt(someSid(), answerId, 0, 'fresh')).toBeUndefined()
      await store().endAnswer(sid, answerId, someEnd())
      expect(await store().beginAttempt(sid, answerId, 0, 'fresh')).toBeUndefined()
    })

    it('is won by one of 20 at once', async () => {
      const { sid, answerId } = await asked(store())
      const begun = await atOnce(20, () => store().beginAttempt(sid, answerId, 0, 'fault'))
      expect(begun.filter(Boolean)).toHaveLength(1)
      expect(await answerAt(sid)).toMatchObject({ attempt: 1, faults: 1 })
    })
  })

  describe('ending an answer', () => {
    it('stores text, thread, usage, cost, notices and error with it, in every way an answer can end (L5)', async () => {
      const ends = [
        someEnd(),
        someEnd({ thread: '0b7e…' }),
        someEnd({ status: 'failed', text: '', error: 'provider_timeout' }),
        someEnd({ status: 'cancelled', usage: { inputTokens: 7, outputTokens: 0, estimated: true } }),
        // Another model than the one that was asked.
        someEnd({ modelId: 'the fallback', notices: ['context_trimmed', 'model_fallback'] }),
        // Of what costs nothing, and of what nobody knows the price.
        someEnd({
          usage: { inputTokens: 7, outputTokens: 1, estimated: false, cost: 0 },
          notices: ['context_trimmed'],
        }),
        someEnd({ usage: { inputTokens: 7, outputTokens: 1, estimated: false } }),
        { status: 'done', text: 'no usage told', endedAt: 5 } as const,
      ]
      for (const end of ends) {
        const { sid, question, answerId } = await asked(store(), { attempt: 1, due: 9, cancelAt: 8 })
        expect(await store().endAnswer(sid, answerId, end, 1)).toBe(true)
        expect(await store().turn(sid, 1)).toEqual({ ...question, answer: { ...question.answer, ...end } })
      }
    })

    it('with an attempt holds for that attempt alone; without one for any (R12)', async () => {
      const { sid, answerId } = await asked(store(), { attempt: 2 })
      for (const attempt of [0, 1, 3]) expect(await store().endAnswer(sid, answerId, someEnd(), attempt)).toBe(false)
      expect(await answerAt(sid)).toMatchObject({ status: 'pending' })
      expect(await store().endAnswer(sid, answerId, someEnd({ status: 'cancelled' }))).toBe(true)
      expect(await answerAt(sid)).toMatchObject({ status: 'cancelled', attempt: 2 })
    })

    it('is refused when it has ended, and where there is none', async () => {
      const { sid, answerId } = await asked(store(), { attempt: 1 })
      await store().endAnswer(sid, answerId, someEnd({ text: 'first' }), 1)
      expect(await store().endAnswer(sid, answerId, someEnd({ text: 'second' }), 1)).toBe(false)
      expect(await store().endAnswer(sid, answerId, someEnd({ text: 'third' }))).toBe(false)
      expect(await store().endAnswer(sid, someAnswerId(), someEnd())).toBe(false)
      expect(await store().endAnswer(someSid(), answerId, someEnd())).toBe(false)
      expect(await answerAt(sid)).toMatchObject({ text: 'first' })
    })

    it('happens once for 20 at once, with what the winner said', async () => {
      const { sid, answerId } = await asked(store(), { attempt: 1 })
      const outcomes = await atOnce(20, (i) =>
        store().endAnswer(sid, answerId, someEnd({ text: `by ${i}` }), i % 2 === 0 ? 1 : undefined),
      )
      expect(outcomes.filter(Boolean)).toHaveLength(1)
      expect(await answerAt(sid)).toMatchObject({ status: 'done', text: `by ${outcomes.indexOf(true)}` })
    })

    it('and beginning the next attempt exclude each other', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { sid, answerId } = await asked(store(), { attempt: 1 })
        const calls = [
          () => store().endAnswer(sid, answerId, someEnd(), 1),
          async () => (await store().beginAttempt(sid, answerId, 1, 'fresh')) !== undefined,
        ]
        if (round % 2 === 1) calls.reverse()
        const outcomes = await Promise.all(calls.map((call) => call()))
        expect(outcomes.filter(Boolean)).toHaveLength(1)
      }
    })
  })

  describe('changing a pending answer', () => {
    it('sets what is named, under the n that was read', async () => {
      const { sid, question, answerId } = await asked(store(), { due: 5, n: 3, attempt: 1 })
      expect(await store().changePending(sid, answerId, { n: 3 }, { cancelAt: 8 })).toBe(true)
      expect(await answerAt(sid)).toEqual({ ...question.answer, cancelAt: 8 })
      expect(await store().changePending(sid, answerId, { n: 3 }, { n: 4, due: 6, handbacks: 1 })).toBe(true)
      expect(await answerAt(sid)).toEqual({ ...question.answer, cancelAt: 8, n: 4, due: 6, handbacks: 1 })
    })

    it('is refused under another n, when the answer has ended, and where there is none', async () => {
      const { sid, answerId } = await asked(store(), { n: 2 })
      for (const n of [1, 3]) expect(await store().changePending(sid, answerId, { n }, { due: 1 })).toBe(false)
      expect(await store().changePending(sid, someAnswerId(), { n: 2 }, { due: 1 })).toBe(false)
      await store().endAnswer(sid, answerId, someEnd())
      expect(await store().changePending(sid, answerId, { n: 2 }, { due: 1 })).toBe(false)
      expect((await answerAt(sid))?.due).toBeUndefined()
    })

    it('to the next n is done by one of 20 at once (R17)', async () => {
      const { sid, answerId } = await asked(store())
      const outcomes = await atOnce(20, (i) => store().changePending(sid, answerId, { n: 0 }, { n: 1, due: i + 1 }))
      expect(outcomes.filter(Boolean)).toHaveLength(1)
      expect(await answerAt(sid)).toMatchObject({ n: 1, due: outcomes.indexOf(true) + 1 })
    })
  })

  describe('superseding an answer', () => {
    it('puts a new one in its place and keeps the old ones whole, the oldest first (R19)', async () => {
      const { sid, question, answerId } = await asked(store(), { attempt: 1 })
      const answers = [question.answer, someAnswer({ modelId: 'model-2', due: 4 }), someAnswer({ askedAt: 9 })]
      const ended = []
      for (const [i, answer] of answers.entries()) {
        if (i > 0) expect(await store().supersede(sid, 1, answers[i - 1]?.answerId ?? answerId, answer)).toBe(true)
        const end = someEnd({
          text: `answer ${i}`,
          thread: `thread ${i}`,
          status: i === 0 ? 'failed' : 'done',
          notices: ['model_fallback'],
        })
        await store().endAnswer(sid, answer.answerId, end)
        ended.push({ ...answer, ...end })
      }
      const turn = { ...question, answer: ended[2], superseded: ended.slice(0, 2) }
      expect(await store().turn(sid, 1)).toEqual(turn)
      expect(await store().turns(sid, { limit: 5 })).toEqual([turn])
      expect(await store().turns(sid, { limit: 5, after: 0 })).toEqual([turn])
      const current = { ...turn, superseded: [] }
      expect(await store().turns(sid, { limit: 5, current: true })).toEqual([current])
      expect(await store().turns(sid, { limit: 5, after: 0, current: true })).toEqual([current])
    })

    it('is refused while the old one is pending, and unless it is the current one', async () => {
      const { sid, answerId } = await asked(store())
      expect(await store().supersede(sid, 1, answerId, someAnswer())).toBe(false)
      await store().endAnswer(sid, answerId, someEnd())
      expect(await store().supersede(sid, 1, someAnswerId(), someAnswer())).toBe(false)
      expect(await store().supersede(sid, 3, answerId, someAnswer())).toBe(false)
      expect(await store().supersede(someSid(), 1, answerId, someAnswer())).toBe(false)
      const next = someAnswer()
      expect(await store().supersede(sid, 1, answerId, next)).toBe(true)
      expect(await store().supersede(sid, 1, answerId, someAnswer())).toBe(false)
      expect(await store().turn(sid, 1)).toMatchObject({ answer: next, superseded: [{ answerId }] })
    })

    it('is refused on a line that nobody answers', async () => {
      const { sid } = await created(store())
      const line = someLine({ sid, seq: 1 })
      await store().insertTurn(line)
      expect(await store().supersede(sid, 1, someAnswerId(), someAnswer())).toBe(false)
      expect(await store().turn(sid, 1)).toEqual(line)
    })

    it('is done by one of 20 at once, and the old answer is kept once', async () => {
      const { sid, answerId } = await asked(store())
      await store().endAnswer(sid, answerId, someEnd())
      const outcomes = await atOnce(20, (i) =>
        store().supersede(sid, 1, answerId, someAnswer({ modelId: `model-${i}` })),
      )
      expect(outcomes.filter(Boolean)).toHaveLength(1)
      const turn = await store().turn(sid, 1)
      expect(turn?.answer?.modelId).toBe(`model-${outcomes.indexOf(true)}`)
      expect(turn?.superseded.map((old) => old.answerId)).toEqual([answerId])
    })

    it('leaves the old one beyond every change', async () => {
      const { sid, answerId } = await asked(store())
      await store().endAnswer(sid, answerId, someEnd())
      await store().supersede(sid, 1, answerId, someAnswer())
      const before = await store().turn(sid, 1)
      expect(await store().beginAttempt(sid, answerId, 0, 'fresh')).toBeUndefined()
      expect(await store().endAnswer(sid, answerId, someEnd({ text: 'late' }))).toBe(false)
      expect(await store().changePending(sid, answerId, { n: 0 }, { n: 1 })).toBe(false)
      expect(await store().turn(sid, 1)).toEqual(before)
    })
  })
}
