import { describe, expect, it } from 'vitest'
import {
  allPages,
  asked,
  atOnce,
  created,
  someAnswer,
  someAnswerId,
  someCmid,
  someEnd,
  someLine,
  someQuestion,
  someSid,
  someUid,
} from './rows.ts'
import type { Texts, TextTurn } from './store.ts'

export function turnsContract(store: () => Texts): void {
  describe('turns', () => {
    it('come back as they were inserted, with every field and with the fewest', async () => {
      const { sid } = await created(store())
      const full = someQuestion({
        sid,
        seq: 1,
        partition: 63,
        authorId: someUid(),
        cmid: someCmid(),
        kind: 'voice',
        content: 'Grüße 🌍 — a line\nand another, with "quotes" and \\ and $signs',
        answer: someAnswer({ attempt: 2, faults: 1, handbacks: 1, n: 3, due: 1_700_000_900_000, cancelAt: 5 }),
      })
      const line = someLine({ sid, seq: 3, author: 'system', kind: 'system', event: 'takeover' })
      for (const turn of [full, line]) {
        expect(await store().insertTurn(turn)).toEqual({ kind: 'inserted' })
        expect(await store().turn(sid, turn.seq)).toEqual(turn)
      }
      expect(await store().turn(sid, 2)).toBeUndefined()
      expect(await store().turn(someSid(), 1)).toBeUndefined()
    })

    it('are refused at a place that is taken, and what is there stays', async () => {
      const { sid } = await created(store())
      const first = someLine({ sid, seq: 1, cmid: someCmid() })
      await store().insertTurn(first)
      const second = someQuestion({ sid, seq: 1, cmid: someCmid(), content: 'too late' })
      expect(await store().insertTurn(second)).toEqual({ kind: 'place-taken' })
      expect(await store().insertTurn(someLine({ sid, seq: 1 }))).toEqual({ kind: 'place-taken' })
      expect(await store().turn(sid, 1)).toEqual(first)
    })

    it('have the same seq in another session', async () => {
      const [here, there] = [await created(store()), await created(store())]
      for (const { sid } of [here, there]) {
        expect(await store().insertTurn(someLine({ sid, seq: 1 }))).toEqual({ kind: 'inserted' })
      }
    })

    it('are refused where the author sent the message before, in any of the sessions (R5)', async () => {
      const [here, there] = [await created(store()), await created(store())]
      const [authorId, cmid] = [someUid(), someCmid()]
      const sent = someQuestion({ sid: here.sid, seq: 1, authorId, cmid })
      await store().insertTurn(sent)
      for (const [sid, seq] of [
        [here.sid, 3],
        [there.sid, 1],
      ] as const) {
        const again = someLine({ sid, seq, authorId, cmid, content: 'again' })
        expect(await store().insertTurn(again)).toEqual({ kind: 'sent-before' })
        expect(await store().turn(sid, seq)).toBeUndefined()
      }
      expect(await store().turnByClientMessageId(authorId, cmid)).toEqual(sent)
    })

    it('that were sent before are told so even where their place is taken too', async () => {
      const { sid } = await created(store())
      const turn = someLine({ sid, seq: 1, cmid: someCmid() })
      await store().insertTurn(turn)
      expect(await store().insertTurn(turn)).toEqual({ kind: 'sent-before' })
    })

    it('of two authors may have one client message id, and those without one never collide', async () => {
      const { sid } = await created(store())
      const [cmid, authorId] = [someCmid(), someUid()]
      const turns = [
        someLine({ sid, seq: 1, authorId: someUid(), cmid }),
        someLine({ sid, seq: 2, authorId: someUid(), cmid }),
        someLine({ sid, seq: 3, authorId }),
        someLine({ sid, seq: 4, authorId }),
      ]
      for (const turn of turns) expect(await store().insertTurn(turn)).toEqual({ kind: 'inserted' })
      for (const turn of turns.slice(0, 2)) {
        expect(await store().turnByClientMessageId(turn.authorId, cmid)).toEqual(turn)
      }
      expect(await store().turnByClientMessageId(authorId, cmid)).toBeUndefined()
    })

    it('of 20 at once for one place: one is inserted, and it is that one', async () => {
      const { sid } = await created(store())
      const outcomes = await atOnce(20, (i) => store().insertTurn(someLine({ sid, seq: 1, content: `by ${i}` })))
      const winner = outcomes.findIndex(({ kind }) => kind === 'inserted')
      expect(outcomes.filter(({ kind }) => kind === 'place-taken')).toHaveLength(19)
      expect(await store().turn(sid, 1)).toMatchObject({ content: `by ${winner}` })
    })

    it('of 20 at once for one message: one is inserted, wherever they were to go', async () => {
      const { sid } = await created(store())
      const [authorId, cmid] = [someUid(), someCmid()]
      const outcomes = await atOnce(20, (i) => store().insertTurn(someLine({ sid, seq: i + 1, authorId, cmid })))
      const winner = outcomes.findIndex(({ kind }) => kind === 'inserted')
      expect(outcomes.filter(({ kind }) => kind === 'sent-before')).toHaveLength(19)
      expect(await store().turns(sid, { limit: 30, after: 0 })).toMatchObject([{ seq: winner + 1, cmid }])
    })

    it('are found by an answer, current or superseded, in their own session alone', async () => {
      const { sid, answerId, question } = await asked(store())
      expect(await store().turnByAnswerId(sid, answerId)).toEqual(question)
      expect(await store().turnByAnswerId(someSid(), answerId)).toBeUndefined()
      expect(await store().turnByAnswerId(sid, someAnswerId())).toBeUndefined()
      await store().endAnswer(sid, answerId, someEnd())
      const next = someAnswer()
      await store().supersede(sid, 1, answerId, next)
      const turn = await store().turn(sid, 1)
      expect(turn).toMatchObject({ answer: next, superseded: [{ answerId }] })
      expect(await store().turnByAnswerId(sid, answerId)).toEqual(turn)
      expect(await store().turnByAnswerId(sid, next.answerId)).toEqual(turn)
    })
  })

  describe('pages of turns', () => {
    /** Rows of both widths, and the numbers that they take up: 1, 2–3, 4–5, 6, 7, 8–9. */
    async function rows(): Promise<TextTurn[]> {
      const { sid } = await created(store())
      const inserted: TextTurn[] = []
      let seq = 1
      for (const width of [1, 2, 2, 1, 1, 2] as const) {
        const turn = width === 1 ? someLine({ sid, seq }) : someQuestion({ sid, seq })
        await store().insertTurn(turn)
        inserted.push(turn)
        seq += width
      }
      return inserted
    }
    const sidOf = (turns: readonly TextTurn[]) => turns[0]?.sid ?? someSid()
    const top = (turn: TextTurn) => turn.seq + turn.width - 1

    it('are empty for a session without rows', async () => {
      const { sid } = await created(store())
      for (const query of [{}, { before: 9 }, { after: 0 }]) {
        expect(await store().turns(sid, { limit: 9, ...query })).toEqual([])
      }
    })

    it('hold the turns that reach below a seq, the highest first', async () => {
      const turns = await rows()
      for (let before = 0; before <= 11; before += 1) {
        for (let limit = 1; limit <= 7; limit += 1) {
          const expected = turns.filter(({ seq }) => seq < before).reverse()
          expect(await store().turns(sidOf(turns), { before, limit })).toEqual(expected.slice(0, limit))
        }
      }
    })

    it('hold the turns that reach above a seq, the lowest first', async () => {
      const turns = await rows()
      for (let after = 0; after <= 11; after += 1) {
        for (let limit = 1; limit <= 7; limit += 1) {
          const expected = turns.filter((turn) => top(turn) > after)
          expect(await store().turns(sidOf(turns), { after, limit })).toEqual(expected.slice(0, limit))
        }
      }
    })

    it('hold what is between two bounds, the lowest first, and begin at the end without any', async () => {
      const turns = await rows()
      for (let after = 0; after <= 9; after += 1) {
        for (let before = 0; before <= 11; before += 1) {
          const expected = turns.filter((turn) => top(turn) > after && turn.seq < before)
          expect(await store().turns(sidOf(turns), { after, before, limit: 9 })).toEqual(expected)
        }
      }
      expect(await store().turns(sidOf(turns), { limit: 2 })).toEqual(turns.slice(-2).reverse())
      const all = { before: Number.MAX_SAFE_INTEGER, limit: 9 }
      expect(await store().turns(sidOf(turns), all)).toEqual([...turns].reverse())
    })

    it('followed one after another, both ways, have each turn once', async () => {
      const turns = await rows()
      for (let limit = 1; limit <= 7; limit += 1) {
        const down = await allPages<TextTurn>(limit, (last) =>
          store().turns(sidOf(turns), { limit, before: last?.seq ?? Number.MAX_SAFE_INTEGER }),
        )
        const up = await allPages<TextTurn>(limit, (last) =>
          store().turns(sidOf(turns), { limit, after: last ? top(last) : 0 }),
        )
        expect(up).toEqual(turns)
        expect(down).toEqual([...turns].reverse())
      }
    })

    it('hold no turn of another session', async () => {
      const [one, two] = [await rows(), await rows()]
      expect(await store().turns(sidOf(one), { limit: 20 })).toEqual([...one].reverse())
      expect(await store().turns(sidOf(two), { limit: 20, after: 0 })).toEqual(two)
    })
  })
}
