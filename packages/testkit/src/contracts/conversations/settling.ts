import { sessionId, type TurnPlace } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import {
  allPages,
  answered,
  asked,
  atOnce,
  created,
  someAnswer,
  someAnswerId,
  someEnd,
  someLine,
  somePartition,
  someQuestion,
  someSid,
} from './rows.ts'
import type { Texts, TextTurn } from './store.ts'

/** The mark of turns that something may still have to follow from (decision 10). */
export function settlingContract(store: () => Texts): void {
  const isUnsettled = async (sid: ReturnType<typeof someSid>, seq = 1) => (await store().turn(sid, seq))?.unsettled

  describe('the unsettled turns of a partition', () => {
    /** Said at these times, in this order, all in one partition: questions and lines by turns. */
    async function said(times: readonly number[]): Promise<{ partition: number; turns: TextTurn[] }> {
      const partition = somePartition()
      const prefix = someSid()
      const turns: TextTurn[] = []
      for (const [i, ts] of times.entries()) {
        // Two of a session follow each other, so that ties within one and between two are met.
        const sid = sessionId(`${prefix}-${Math.floor(i / 2)}`)
        if (i % 2 === 0) await created(store(), { sid, partition })
        // Asked in another order than said, which is not to count.
        const answer = someAnswer({ askedAt: 1_000 - i })
        const turn =
          i % 2 === 0 ? someQuestion({ sid, seq: 1, partition, ts, answer }) : someLine({ sid, seq: 3, partition, ts })
        await store().insertTurn(turn)
        turns.push(turn)
      }
      return { partition, turns }
    }
    const inOrder = (turns: readonly TextTurn[]) =>
      [...turns].sort((a, b) => a.ts - b.ts || (a.sid === b.sid ? a.seq - b.seq : a.sid < b.sid ? -1 : 1))
    const placeOf = ({ ts, sid, seq }: TextTurn): TurnPlace => ({ ts, sid, seq })

    it('come the oldest first, page by page, without a gap or a repetition at ties', async () => {
      const { partition, turns } = await said([5, 5, 3, 9, 5, 5, 3, 3, 9])
      const expected = inOrder(turns)
      expect(expected).not.toEqual(turns)
      for (let limit = 1; limit <= turns.length + 1; limit += 1) {
        const seen = await allPages<TextTurn>(limit, (last) =>
          store().unsettledOf(partition, limit, last && placeOf(last)),
        )
        expect(seen).toEqual(expected)
      }
    })

    it('are those of no other partition, and none that was settled, at once or later', async () => {
      const [here, there] = [await said([1, 2, 3, 4]), await said([1])]
      const [first, second, third, fourth] = here.turns
      if (!first || !second || !third || !fourth) throw new Error('four were said')
      await store().settle(second.sid, second.seq)
      await store().insertTurn(someLine({ sid: first.sid, seq: 4, partition: here.partition, unsettled: false }))
      expect(await store().unsettledOf(here.partition, 9)).toEqual([first, third, fourth])
      expect(await store().unsettledOf(there.partition, 9)).toEqual(there.turns)
      expect(await store().unsettledOf(somePartition(), 9)).toEqual([])
    })

    it('go on behind one that was settled since, and are whole, with what was superseded', async () => {
      const { partition, turns } = await said([1, 2, 3, 4])
      const [first, second, third, fourth] = turns
      if (!first?.answer || !second) throw new Error('four were said')
      await store().settle(second.sid, second.seq)
      expect(await store().unsettledOf(partition, 9, placeOf(second))).toEqual([third, fourth])
      const { answerId } = first.answer
      await store().endAnswer(first.sid, answerId, someEnd())
      const again = someAnswer({ askedAt: 5_000 })
      await store().supersede(first.sid, first.seq, answerId, again)
      const [oldest, ...rest] = await store().unsettledOf(partition, 9)
      expect(oldest).toMatchObject({ seq: 1, answer: again, superseded: [{ answerId, text: someEnd().text }] })
      expect(rest).toEqual([third, fourth])
    })
  })

  describe('settling a turn', () => {
    it('takes the mark away and changes nothing else, once or more often', async () => {
      const { sid, answerId, turn } = await answered(store())
      const line = someLine({ sid, seq: 3 })
      await store().insertTurn(line)
      for (let time = 0; time < 2; time += 1) {
        await store().settle(sid, 1, answerId)
        await store().settle(sid, 3)
        expect(await store().turn(sid, 1)).toEqual({ ...turn, unsettled: false })
        expect(await store().turn(sid, 3)).toEqual({ ...line, unsettled: false })
      }
    })

    it('does nothing while the answer is pending, whatever becomes of it before its end', async () => {
      const { sid, answerId } = await asked(store())
      await store().settle(sid, 1, answerId)
      expect(await isUnsettled(sid)).toBe(true)
      await store().beginAttempt(sid, answerId, 0, 'fresh')
      await store().changePending(sid, answerId, { n: 0 }, { n: 1, cancelAt: 5 })
      await store().settle(sid, 1, answerId)
      expect(await isUnsettled(sid)).toBe(true)
      await store().endAnswer(sid, answerId, someEnd())
      expect(await isUnsettled(sid)).toBe(true)
      await store().settle(sid, 1, answerId)
      expect(await isUnsettled(sid)).toBe(false)
    })

    it('does nothing by another answer, nor by none where there is one, nor by one where there is none', async () => {
      const { sid, answerId } = await answered(store())
      await store().insertTurn(someLine({ sid, seq: 3 }))
      await store().settle(sid, 1, someAnswerId())
      await store().settle(sid, 1)
      await store().settle(sid, 3, answerId)
      expect([await isUnsettled(sid, 1), await isUnsettled(sid, 3)]).toEqual([true, true])
    })

    it('is undone by a new answer, and not done by the old one', async () => {
      const { sid, answerId } = await answered(store())
      await store().settle(sid, 1, answerId)
      const next = someAnswer()
      await store().supersede(sid, 1, answerId, next)
      expect(await isUnsettled(sid)).toBe(true)
      await store().endAnswer(sid, next.answerId, someEnd())
      await store().settle(sid, 1, answerId)
      expect(await isUnsettled(sid)).toBe(true)
      await store().settle(sid, 1, next.answerId)
      expect(await isUnsettled(sid)).toBe(false)
    })

    it('by 20 at once never takes the mark of a new answer away', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { sid, answerId } = await answered(store())
        // The one that supersedes among them is at another place each time.
        const outcomes = await atOnce(20, async (i) => {
          if (i === round * 4 + 2) return store().supersede(sid, 1, answerId, someAnswer())
          return store().settle(sid, 1, answerId)
        })
        expect(outcomes.filter(Boolean)).toHaveLength(1)
        expect(await store().turn(sid, 1)).toMatchObject({ unsettled: true, answer: { status: 'pending' } })
      }
    })

    it('that is not there is harmless', async () => {
      const { sid } = await created(store())
      await store().settle(sid, 1)
      await store().settle(someSid(), 1, someAnswerId())
      expect(await store().turn(sid, 1)).toBeUndefined()
    })
  })
}
