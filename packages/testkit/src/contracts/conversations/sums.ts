import { type PendingAnswer, sessionId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { allPages, created, someAnswer, someEnd, someLine, somePartition, someQuestion, someSid } from './rows.ts'
import type { Texts, TextTurn } from './store.ts'

/** What is derived from rows: totals (R3), and the answers that the sweeper looks after (R17). */
export function sumsContract(store: () => Texts): void {
  describe('totals', () => {
    const usage = (inputTokens: number, outputTokens: number) => ({ inputTokens, outputTokens, estimated: false })

    it('of a session without rows begin at 1', async () => {
      const { sid } = await created(store(), { totalTokens: 99, msgCount: 99 })
      expect(await store().totals(sid)).toEqual({ lastSeq: 0, nextSeq: 1, totalTokens: 0, pending: [] })
    })

    it('name the last row, what follows it by its width (R1), and the pending answers in their order', async () => {
      const { sid } = await created(store())
      const pending: PendingAnswer[] = []
      let seq = 1
      for (const width of [2, 1, 2, 2, 1] as const) {
        const turn = width === 1 ? someLine({ sid, seq }) : someQuestion({ sid, seq })
        await store().insertTurn(turn)
        if (turn.answer) pending.push({ sid, seq, answerId: turn.answer.answerId })
        expect(await store().totals(sid)).toEqual({ lastSeq: seq, nextSeq: seq + width, totalTokens: 0, pending })
        seq += width
      }
      const [first, second, third] = pending
      if (!first || !second || !third) throw new Error('three were inserted')
      await store().endAnswer(sid, second.answerId, { status: 'cancelled', text: '', endedAt: 1 })
      expect((await store().totals(sid)).pending).toEqual([first, third])
    })

    it('count the tokens of every answer that was ended, superseded ones too, and each once', async () => {
      const { sid } = await created(store())
      const [one, two] = [someQuestion({ sid, seq: 1 }), someQuestion({ sid, seq: 3 })]
      for (const turn of [one, two]) await store().insertTurn(turn)
      const tokens = async () => (await store().totals(sid)).totalTokens

      await store().endAnswer(sid, one.answer.answerId, someEnd({ usage: usage(10, 1) }))
      await store().endAnswer(sid, one.answer.answerId, someEnd({ usage: usage(10, 1) }))
      expect(await tokens()).toBe(11)
      await store().endAnswer(sid, two.answer.answerId, someEnd({ status: 'failed', usage: usage(100, 0) }))
      expect(await tokens()).toBe(111)
      const next = someAnswer()
      await store().supersede(sid, 1, one.answer.answerId, next)
      expect(await tokens()).toBe(111)
      await store().endAnswer(sid, next.answerId, someEnd({ status: 'cancelled', usage: usage(1_000, 2) }))
      expect(await tokens()).toBe(1_113)
      const last = someAnswer()
      await store().supersede(sid, 1, next.answerId, last)
      await store().endAnswer(sid, last.answerId, { status: 'failed', text: '', error: 'internal', endedAt: 5 })
      expect(await tokens()).toBe(1_113)
    })
  })

  describe('the pending answers of a partition', () => {
    /** Asked at these times, in this order, all in one partition. */
    async function waiting(times: readonly number[]): Promise<{ partition: number; turns: TextTurn[] }> {
      const partition = somePartition()
      const prefix = someSid()
      const turns: TextTurn[] = []
      for (const [i, askedAt] of times.entries()) {
        // Two of a session follow each other, so that ties within one and between two are met.
        const sid = sessionId(`${prefix}-${Math.floor(i / 2)}`)
        if (i % 2 === 0) await created(store(), { sid, partition })
        const turn = someQuestion({ sid, seq: (i % 2) * 2 + 1, partition, answer: someAnswer({ askedAt }) })
        await store().insertTurn(turn)
        turns.push(turn)
      }
      return { partition, turns }
    }
    const inOrder = (turns: readonly TextTurn[]) =>
      [...turns].sort(
        (a, b) =>
          (a.answer?.askedAt ?? 0) - (b.answer?.askedAt ?? 0) ||
          (a.sid === b.sid ? a.seq - b.seq : a.sid < b.sid ? -1 : 1),
      )
    const cursor = (turn: TextTurn | undefined): PendingAnswer => {
      if (!turn?.answer) throw new Error('there is no such turn')
      return { sid: turn.sid, seq: turn.seq, answerId: turn.answer.answerId }
    }

    it('come the oldest first, page by page, without a gap or a repetition at ties', async () => {
      const { partition, turns } = await waiting([5, 5, 3, 9, 5, 5, 3, 3, 9])
      const expected = inOrder(turns)
      expect(expected).not.toEqual(turns)
      for (let limit = 1; limit <= turns.length + 1; limit += 1) {
        const seen = await allPages<TextTurn>(limit, (last) =>
          store().pendingOf(partition, limit, last && cursor(last)),
        )
        expect(seen).toEqual(expected)
      }
    })

    it('are those of no other partition, and none that has ended or waits for nothing', async () => {
      const [here, there] = [await waiting([1, 2, 3]), await waiting([1])]
      const { sid, answerId } = cursor(here.turns[1])
      await store().endAnswer(sid, answerId, someEnd())
      await store().insertTurn(someLine({ sid, seq: 5, partition: here.partition }))
      expect(await store().pendingOf(here.partition, 9)).toEqual([here.turns[0], here.turns[2]])
      expect(await store().pendingOf(there.partition, 9)).toEqual(there.turns)
      expect(await store().pendingOf(somePartition(), 9)).toEqual([])
    })

    it('go on behind one that has ended since, or was superseded', async () => {
      const { partition, turns } = await waiting([1, 2, 3, 4])
      const [first, second, third, fourth] = turns
      const ended = cursor(second)
      await store().endAnswer(ended.sid, ended.answerId, someEnd())
      expect(await store().pendingOf(partition, 9, ended)).toEqual([third, fourth])
      const again = someAnswer({ askedAt: 50 })
      await store().supersede(ended.sid, ended.seq, ended.answerId, again)
      const page = await store().pendingOf(partition, 9, ended)
      expect(page.slice(0, 2)).toEqual([third, fourth])
      expect(page[2]).toMatchObject({ answer: again, superseded: [{ answerId: ended.answerId }] })
      expect(await store().pendingOf(partition, 1)).toEqual([first])
    })
  })
}
