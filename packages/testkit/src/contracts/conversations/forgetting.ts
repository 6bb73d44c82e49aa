import { type ErasableQuery, type Session, userId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import {
  answered,
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

/** What the erasure of a user and retention go through, and what is left of a user in the end (R22). */
export function forgettingContract(store: () => Texts): void {
  async function erased({ sid, rev }: Session): Promise<void> {
    await store().changeSession(sid, rev, { erased: true })
  }
  const erasable = async (query: ErasableQuery) => [...(await store().erasable(query))].sort()

  describe('the sessions that can be erased', () => {
    it('of a user are all that were not, with or without rows, ended or not, and nobody else’s', async () => {
      const uid = someUid()
      const sessions = [
        await created(store(), { uid }),
        (await answered(store(), {}, { uid })).session,
        await created(store(), { uid, endTs: 5 }),
      ]
      await erased(await created(store(), { uid }))
      await created(store())
      const sids = sessions.map(({ sid }) => sid).sort()
      expect(await erasable({ uid, limit: 10 })).toEqual(sids)
      expect(await store().erasable({ uid, limit: 2 })).toHaveLength(2)
      for (const session of sessions) await erased(session)
      expect(await erasable({ uid, limit: 10 })).toEqual([])
    })

    it('of a partition are those without activity since a time', async () => {
      const partition = somePartition()
      const sessions = []
      for (const lastActivity of [30, 10, 20]) sessions.push(await created(store(), { partition, lastActivity }))
      await erased(await created(store(), { partition, lastActivity: 5 }))
      await created(store(), { partition: somePartition(), lastActivity: 5 })
      const [at30, at10, at20] = sessions.map(({ sid }) => sid)
      const idleSince = (time: number, limit = 10) => store().erasable({ partition, before: time, limit })
      expect(await idleSince(10)).toEqual([])
      expect(await idleSince(11)).toEqual([at10])
      expect(await idleSince(20)).toEqual([at10])
      expect((await idleSince(99)).toSorted()).toEqual([at10, at20, at30].sort())
      expect(await idleSince(99, 2)).toHaveLength(2)
    })
  })

  describe('forgetting a user', () => {
    /** A session of the user, with a line and an answer that was superseded, and a line of somebody who helped. */
    async function lived(uid: ReturnType<typeof someUid>, helper = someUid()) {
      const session = await created(store(), { uid })
      const { sid } = session
      const line = someLine({ sid, seq: 1, authorId: uid, cmid: someCmid() })
      const question = someQuestion({ sid, seq: 2, authorId: uid, cmid: someCmid() })
      const help = someLine({ sid, seq: 4, author: 'admin', authorId: helper, cmid: someCmid() })
      for (const turn of [line, question, help]) await store().insertTurn(turn)
      await store().endAnswer(sid, question.answer.answerId, someEnd())
      await store().supersede(sid, 2, question.answer.answerId, someAnswer())
      return { session, sid, line, question, help, helper }
    }
    async function eraseAll({ session, sid }: Awaited<ReturnType<typeof lived>>): Promise<void> {
      await store().eraseTurns(sid, someStub({ sid, seq: 5, authorId: userId('system') }))
      await store().changeSession(sid, session.rev + 1, { erased: true })
    }
    const rowsOf = (sid: Session['sid']) => store().turns(sid, { limit: 9, after: 0 })

    it('puts the alias in the place of owner and author of what was erased, without client message ids of the user', async () => {
      const [uid, alias] = [someUid(), someUid()]
      const gone = await lived(uid)
      await eraseAll(gone)
      const [session, rows] = [await store().session(gone.sid), await rowsOf(gone.sid)]
      for (let time = 0; time < 2; time += 1) {
        await store().forgetUser(uid, alias)
        expect(await store().session(gone.sid)).toEqual({ ...session, uid: alias })
        const forgotten = rows.map(({ cmid, ...row }) =>
          row.authorId === uid ? { ...row, authorId: alias } : { ...row, ...(cmid && { cmid }) },
        )
        expect(forgotten.map(({ authorId }) => authorId)).toEqual([alias, alias, gone.helper, 'system'])
        expect(await rowsOf(gone.sid)).toEqual(forgotten)
      }
      expect(await store().turnByClientMessageId(uid, gone.line.cmid ?? someCmid())).toBeUndefined()
      expect((await store().turnByClientMessageId(gone.helper, gone.help.cmid ?? someCmid()))?.seq).toBe(4)
      // What was spent is the alias's too.
      expect([await store().tokensSince(uid, 0), await store().tokensSince(alias, 0)]).toEqual([0, 42])
    })

    it('leaves alone what was not erased, and what is somebody else’s', async () => {
      const [uid, alias] = [someUid(), someUid()]
      const kept = await lived(uid)
      // Where the user helped somebody else.
      const others = await lived(someUid(), uid)
      await eraseAll(others)
      const before = await Promise.all([kept.sid, others.sid].map(rowsOf))
      await store().forgetUser(uid, alias)
      expect(await Promise.all([kept.sid, others.sid].map(rowsOf))).toEqual(before)
      expect((await store().session(kept.sid))?.uid).toBe(uid)
      expect((await store().session(others.sid))?.uid).toBe(others.session.uid)
      expect(await store().tokensSince(uid, 0)).toBe(42)
    })

    it('can be done again to somebody who came back, with the same alias and the same client message ids', async () => {
      const [uid, alias] = [someUid(), someUid()]
      const first = await lived(uid)
      await eraseAll(first)
      await store().forgetUser(uid, alias)
      const { sid } = await created(store(), { uid })
      const again = someLine({ sid, seq: 1, authorId: uid, ...(first.line.cmid && { cmid: first.line.cmid }) })
      expect(await store().insertTurn(again)).toEqual({ kind: 'inserted' })
      await store().eraseTurns(sid, someStub({ sid, seq: 2 }))
      await store().changeSession(sid, 1, { erased: true })
      await store().forgetUser(uid, alias)
      expect(await store().session(sid)).toMatchObject({ uid: alias })
      expect((await rowsOf(sid))[0]).toMatchObject({ authorId: alias })
    })
  })
}
