import type { PendingAnswer, SessionId, UserId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { created, someAnswer, someEnd, someLine, someQuestion, someStub, someUid } from './rows.ts'
import type { Texts } from './store.ts'

/** What is derived from rows: the totals of a session (R3), and what a user has spent. */
export function sumsContract(store: () => Texts): void {
  describe('totals', () => {
    it('of a session without rows begin at 1', async () => {
      const { sid } = await created(store(), { totalTokens: 99, totalCost: 99, msgCount: 99 })
      expect(await store().totals(sid)).toEqual({ ...NOTHING, lastSeq: 0, nextSeq: 1, pending: [] })
    })

    it('name the last row, what follows it by its width (R1), and the pending answers in their order', async () => {
      const { sid } = await created(store())
      const pending: PendingAnswer[] = []
      let seq = 1
      for (const width of [2, 1, 2, 2, 1] as const) {
        const turn = width === 1 ? someLine({ sid, seq }) : someQuestion({ sid, seq })
        await store().insertTurn(turn)
        if (turn.answer) pending.push({ sid, seq, answerId: turn.answer.answerId })
        expect(await store().totals(sid)).toEqual({ ...NOTHING, lastSeq: seq, nextSeq: seq + width, pending })
        seq += width
      }
      const [first, second, third] = pending
      if (!first || !second || !third) throw new Error('three were inserted')
      await store().endAnswer(sid, second.answerId, { status: 'cancelled', text: '', endedAt: 1 })
      expect((await store().totals(sid)).pending).toEqual([first, third])
    })

    it('count tokens and cost of every answer that was ended, superseded ones too, and each once (L5)', async () => {
      const { sid } = await created(store())
      const [one, two] = [someQuestion({ sid, seq: 1 }), someQuestion({ sid, seq: 3 })]
      for (const turn of [one, two]) await store().insertTurn(turn)
      const spent = async () => {
        const { totalTokens, totalCost } = await store().totals(sid)
        return [totalTokens, totalCost]
      }

      await store().endAnswer(sid, one.answer.answerId, someEnd({ usage: usage(10, 1, 7) }))
      await store().endAnswer(sid, one.answer.answerId, someEnd({ usage: usage(10, 1, 7) }))
      expect(await spent()).toEqual([11, 7])
      await store().endAnswer(sid, two.answer.answerId, someEnd({ status: 'failed', usage: usage(100, 0, 60) }))
      expect(await spent()).toEqual([111, 67])
      const next = someAnswer()
      await store().supersede(sid, 1, one.answer.answerId, next)
      expect(await spent()).toEqual([111, 67])
      // More than 32 bits, and no digit of it lost.
      const dear = 5_000_000_001
      await store().endAnswer(sid, next.answerId, someEnd({ status: 'cancelled', usage: usage(1_000, 2, dear) }))
      expect(await spent()).toEqual([1_113, dear + 67])
      const last = someAnswer()
      await store().supersede(sid, 1, next.answerId, last)
      await store().endAnswer(sid, last.answerId, { status: 'failed', text: '', error: 'internal', endedAt: 5 })
      expect(await spent()).toEqual([1_113, dear + 67])
      // Nobody knows what this one cost.
      const unpriced = someAnswer()
      await store().supersede(sid, 3, two.answer.answerId, unpriced)
      await store().endAnswer(sid, unpriced.answerId, someEnd({ usage: usage(1, 1) }))
      expect(await spent()).toEqual([1_115, dear + 67])
    })
  })

  describe('what a user has spent since a time', () => {
    const [NIGHT, MORNING, NOON] = [1_700_000_000_000, 1_700_000_100_000, 1_700_000_200_000]
    /** Asks, and has it answered at that time for so many tokens. */
    async function spent(uid: UserId, seq: number, endedAt: number, tokens: number, sid?: SessionId) {
      const session = sid ?? (await created(store(), { uid })).sid
      const question = someQuestion({ sid: session, seq, authorId: uid })
      await store().insertTurn(question)
      const end = someEnd({ endedAt, usage: usage(tokens - 1, 1) })
      await store().endAnswer(session, question.answer.answerId, end)
      return { sid: session, answerId: question.answer.answerId }
    }

    it('is nothing at first, and of nobody else', async () => {
      const [uid, other] = [someUid(), someUid()]
      await spent(other, 1, NOON, 10)
      expect(await store().tokensSince(uid, 0)).toBe(0)
    })

    it('is the sum over all sessions of what ended then or later', async () => {
      const uid = someUid()
      const { sid } = await spent(uid, 1, NIGHT, 1_000)
      await spent(uid, 3, MORNING, 200, sid)
      await spent(uid, 1, NOON, 30)
      const since = (time: number) => store().tokensSince(uid, time)
      expect(await Promise.all([NIGHT, NIGHT + 1, MORNING, MORNING + 1, NOON, NOON + 1].map(since))).toEqual([
        ...[1_230, 230, 230],
        ...[30, 30, 0],
      ])
    })

    it('holds superseded answers and those of erased sessions, and none that is pending or was told without usage', async () => {
      const uid = someUid()
      const { sid, answerId } = await spent(uid, 1, MORNING, 200)
      const next = someAnswer()
      await store().supersede(sid, 1, answerId, next)
      expect(await store().tokensSince(uid, MORNING)).toBe(200)
      await store().endAnswer(sid, next.answerId, someEnd({ status: 'failed', usage: usage(4, 0), endedAt: NOON }))
      expect(await store().tokensSince(uid, MORNING)).toBe(204)
      expect(await store().tokensSince(uid, NOON)).toBe(4)
      const last = someAnswer()
      await store().supersede(sid, 1, next.answerId, last)
      // Two of one row, of which one ended before.
      expect(await store().tokensSince(uid, NOON)).toBe(4)
      await store().endAnswer(sid, last.answerId, { status: 'cancelled', text: '', endedAt: NOON })
      expect(await store().tokensSince(uid, MORNING)).toBe(204)
      await store().eraseTurns(sid, someStub({ sid, seq: 3 }))
      expect(await store().tokensSince(uid, MORNING)).toBe(204)
    })
  })
}

const NOTHING = { totalTokens: 0, totalCost: 0 } as const

const usage = (inputTokens: number, outputTokens: number, cost?: number) => ({
  ...{ inputTokens, outputTokens, estimated: false },
  ...(cost !== undefined && { cost }),
})
