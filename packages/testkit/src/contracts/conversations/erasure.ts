import { describe, expect, it } from 'vitest'
import {
  created,
  someAnswer,
  someCmid,
  someEnd,
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
      const session = await created(store(), { partition, nm: 'a name', assistingAdminName: 'Wanda', msgCount: 5 })
      const { sid } = session
      const line = someLine({ sid, seq: 1, partition, authorId: someUid(), cmid: someCmid() })
      const answered = someQuestion({ sid, seq: 2, partition })
      const waiting = someQuestion({ sid, seq: 4, partition, answer: someAnswer({ attempt: 1, due: 7 }) })
      for (const turn of [line, answered, waiting]) await store().insertTurn(turn)
      const [old, next] = [answered.answer, someAnswer()]
      const ends = [
        someEnd({ text: 'the first' }),
        someEnd({ text: 'the second', status: 'failed', error: 'internal' }),
      ]
      const [first = someEnd(), second = someEnd()] = ends
      await store().endAnswer(sid, old.answerId, first)
      await store().supersede(sid, 2, old.answerId, next)
      await store().endAnswer(sid, next.answerId, second)
      const { text: _first, ...oldEnd } = first
      const { text: _second, ...nextEnd } = second
      const stub = someStub({ sid, seq: 6, partition, ts: 1_700_000_005_000 })
      const cancelled = { ...waiting.answer, status: 'cancelled', endedAt: stub.ts } as const
      const stubs = [
        { ...line, content: '' },
        { ...answered, content: '', answer: { ...next, ...nextEnd }, superseded: [{ ...old, ...oldEnd }] },
        { ...waiting, content: '', answer: cancelled },
        stub,
      ]
      return { session, sid, partition, line, waiting, stub, stubs }
    }
    const all = (sid: Awaited<ReturnType<typeof lived>>['sid']) => store().turns(sid, { limit: 20, after: 0 })

    it('leaves their rows without content and texts, and one more at the end', async () => {
      const { sid, stub, stubs } = await lived()
      await store().eraseTurns(sid, stub)
      expect(await all(sid)).toEqual(stubs)
    })

    it('takes the names out of the session’s row, whose rev rises once', async () => {
      const { sid, stub, session } = await lived()
      const { nm: _nm, assistingAdminName: _name, ...nameless } = session
      for (let time = 0; time < 2; time += 1) {
        await store().eraseTurns(sid, stub)
        expect(await store().session(sid)).toEqual({ ...nameless, rev: 1 })
      }
    })

    it('keeps what is counted, and leaves nothing pending', async () => {
      const { sid, stub, partition, waiting } = await lived()
      const { totalTokens } = await store().totals(sid)
      expect(totalTokens).toBe(84)
      await store().eraseTurns(sid, stub)
      expect(await store().totals(sid)).toEqual({ lastSeq: 6, nextSeq: 7, totalTokens, pending: [] })
      expect(await store().pendingOf(partition, 9)).toEqual([])
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
      await store().eraseTurns(sid, { ...stub, cmid: someCmid() })
      expect((await all(sid)).slice(-2)).toEqual([
        someLine({ sid, seq: 6, partition, content: '' }),
        { ...stub, seq: 7 },
      ])
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
