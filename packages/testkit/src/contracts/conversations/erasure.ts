import { describe, expect, it } from 'vitest'
import {
  created,
  someAnswer,
  someCmid,
  someEnd,
  someFeedback,
  someLine,
  somePartition,
  someQuestion,
  someStub,
  someUid,
} from './rows.ts'
import type { Texts } from './store.ts'

export function erasureContract(store: () => Texts): void {
  describe('erasing the turns of a session (R22)', () => {
    /** Everything that a session can hold: a line, an answer that ended, a superseded one, one that is pending. */
    async function lived() {
      const partition = somePartition()
      const share = { hash: `hash of ${someCmid()}`, until: 1_700_000_900_000 }
      const names = { nm: 'a name', preview: 'said last', assistingAdminName: 'Wanda' }
      const session = await created(store(), { partition, ...names, share, msgCount: 5 })
      const { sid } = session
      const line = someLine({ sid, seq: 1, partition, authorId: someUid(), cmid: someCmid() })
      const answered = someQuestion({ sid, seq: 2, partition })
      const waiting = someQuestion({ sid, seq: 4, partition, answer: someAnswer({ attempt: 1, due: 7 }) })
      for (const turn of [line, answered, waiting]) await store().insertTurn(turn)
      const [old, next] = [answered.answer, someAnswer()]
      const ends = [
        someEnd({ text: 'the first', thread: 'one', notices: ['context_trimmed'] }),
        someEnd({ text: 'the second', thread: 'two' }),
      ]
      const [first = someEnd(), second = someEnd()] = ends
      await store().endAnswer(sid, old.answerId, first)
      await store().rateAnswer(sid, old.answerId, someFeedback())
      await store().supersede(sid, 2, old.answerId, next)
      await store().endAnswer(sid, next.answerId, second)
      await store().rateAnswer(sid, next.answerId, someFeedback({ rating: 'down' }))
      const { text: _first, thread: _one, ...oldEnd } = first
      const { text: _second, thread: _two, ...nextEnd } = second
      const stub = someStub({ sid, seq: 6, partition, ts: 1_700_000_005_000 })
      const cancelled = { ...waiting.answer, status: 'cancelled', endedAt: stub.ts } as const
      const blank = { content: '', unsettled: false }
      const stubs = [
        { ...line, ...blank },
        { ...answered, ...blank, answer: { ...next, ...nextEnd }, superseded: [{ ...old, ...oldEnd }] },
        { ...waiting, ...blank, answer: cancelled },
        stub,
      ]
      return { session, sid, partition, line, answered: next.answerId, waiting, stub, stubs }
    }
    const all = (sid: Awaited<ReturnType<typeof lived>>['sid']) => store().turns(sid, { limit: 20, after: 0 })

    it('leaves their rows without content and texts, and one more at the end', async () => {
      const { sid, stub, stubs } = await lived()
      await store().eraseTurns(sid, stub)
      expect(await all(sid)).toEqual(stubs)
    })

    it('takes names, preview and share out of the session’s row, whose rev rises once', async () => {
      const { sid, stub, session } = await lived()
      const { nm: _nm, preview: _preview, assistingAdminName: _name, share, ...nameless } = session
      for (let time = 0; time < 2; time += 1) {
        await store().eraseTurns(sid, stub)
        expect(await store().session(sid)).toEqual({ ...nameless, rev: 1 })
        expect(await store().sessionByShare(share?.hash ?? '')).toBeUndefined()
      }
    })

    it('keeps what is counted, and leaves nothing pending or unsettled', async () => {
      const { sid, stub, partition, waiting } = await lived()
      const { totalTokens, totalCost } = await store().totals(sid)
      expect([totalTokens, totalCost]).toEqual([84, 140])
      await store().eraseTurns(sid, stub)
      expect(await store().totals(sid)).toEqual({ lastSeq: 6, nextSeq: 7, totalTokens, totalCost, pending: [] })
      expect(await store().unsettledOf(partition, 9)).toEqual([])
      expect(await store().beginAttempt(sid, waiting.answer.answerId, 1, 'fresh')).toBeUndefined()
      expect(await store().endAnswer(sid, waiting.answer.answerId, someEnd({ text: 'late' }))).toBe(false)
    })

    it('is harmless when it is repeated', async () => {
      const { sid, stub, stubs } = await lived()
      for (let time = 0; time < 3; time += 1) await store().eraseTurns(sid, { ...stub, seq: 6 + time })
      expect(await all(sid)).toEqual(stubs)
    })

    it('puts its last row where the session ends by then, and a cmid of it does not count', async () => {
      const { sid, stub, partition } = await lived()
      await store().insertTurn(someLine({ sid, seq: 6, partition }))
      await store().eraseTurns(sid, { ...stub, cmid: someCmid(), unsettled: true })
      expect((await all(sid)).slice(-2)).toEqual([
        someLine({ sid, seq: 6, partition, content: '', unsettled: false }),
        { ...stub, seq: 7, unsettled: true },
      ])
    })

    it('keeps the mark of the row that says so, and no other: the erasure may not be through', async () => {
      const { sid, stub, stubs } = await lived()
      const marked = { ...stub, unsettled: true }
      await store().insertTurn(marked)
      for (let time = 0; time < 2; time += 1) await store().eraseTurns(sid, { ...stub, seq: 7 })
      expect(await all(sid)).toEqual([...stubs.slice(0, -1), marked])
      await store().settle(sid, stub.seq)
      expect(await all(sid)).toEqual(stubs)
    })

    it('makes the insert of an owner who does not know of it fail', async () => {
      const { sid, stub, stubs, line } = await lived()
      await store().eraseTurns(sid, stub)
      // Where a session's key is gone, there is nothing to seal a message with, and that is refused before its place is looked at.
      const refused = (turn: Parameters<Texts['insertTurn']>[0]) =>
        store()
          .insertTurn(turn)
          .then(({ kind }) => kind)
          .catch(() => 'refused')
      expect(['place-taken', 'refused']).toContain(await refused(someLine({ sid, seq: 6, content: 'late' })))
      expect(['sent-before', 'refused']).toContain(await refused({ ...line, seq: 6 }))
      expect(await all(sid)).toEqual(stubs)
    })

    it('makes a new answer of an owner who does not know of it fail', async () => {
      const { sid, stub, stubs, answered, waiting } = await lived()
      await store().eraseTurns(sid, stub)
      expect(await store().supersede(sid, 2, answered, someAnswer())).toBe(false)
      expect(await store().supersede(sid, 4, waiting.answer.answerId, someAnswer())).toBe(false)
      expect(await all(sid)).toEqual(stubs)
    })

    it('leaves other sessions alone', async () => {
      const { sid, stub } = await lived()
      const other = await lived()
      const before = await all(other.sid)
      await store().eraseTurns(sid, stub)
      expect(await all(other.sid)).toEqual(before)
      expect(await store().session(other.sid)).toEqual(other.session)
    })
  })
}
