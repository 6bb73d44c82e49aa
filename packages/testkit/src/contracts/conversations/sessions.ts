import { type Session, sessionId, type UserId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { allPages, atOnce, created, someLine, someSession, someSid, someUid } from './rows.ts'
import type { Texts } from './store.ts'

export function sessionsContract(store: () => Texts): void {
  describe('sessions', () => {
    it('come back as they were created, with every field and with the fewest', async () => {
      const full = someSession({
        partition: 63,
        nm: 'Pläne für morgen 🌱',
        preview: 'Und dann — “so” 🌍…',
        endTs: 1_700_000_009_999,
        adminAssisted: true,
        assistingAdminId: someUid(),
        assistingAdminName: 'Wanda',
        helpRequested: true,
        totalTokens: 1_234_567,
        totalCost: 5_000_000_001,
        msgCount: 42,
        rts: [1, 250, 30_000],
        ownerEpoch: 3,
        readSeq: 41,
        share: { hash: `hash of ${someSid()}`, until: 1_700_000_800_000 },
        rev: 7,
      })
      const bare = someSession()
      for (const session of [full, bare]) {
        expect(await store().createSession(session)).toBe('created')
        expect(await store().session(session.sid)).toEqual(session)
      }
    })

    it('that nobody created are not there', async () => {
      expect(await store().session(someSid())).toBeUndefined()
      expect(await store().changeSession(someSid(), 0, { msgCount: 1 })).toBe(false)
    })

    it('are created once, whoever asks, and stay as the first made them', async () => {
      const sid = someSid()
      const asking = await atOnce(20, async (i) => {
        const session = someSession({ sid, uid: someUid(), modelId: `model-${i}` })
        return { session, outcome: await store().createSession(session) }
      })
      const winners = asking.filter(({ outcome }) => outcome === 'created')
      expect(winners).toHaveLength(1)
      expect(asking.filter(({ outcome }) => outcome === 'exists')).toHaveLength(19)
      expect(await store().session(sid)).toEqual(winners[0]?.session)
      expect(await store().createSession(someSession({ sid }))).toBe('exists')
      expect(await store().session(sid)).toEqual(winners[0]?.session)
    })

    it('change in the fields that are named, and rev rises by one', async () => {
      const session = await created(store(), { nm: 'before', rts: [5], helpRequested: true })
      const change = { nm: 'after', rts: [5, 6], adminAssisted: true, assistingAdminName: 'Wanda', endTs: 5 }
      expect(await store().changeSession(session.sid, 0, change)).toBe(true)
      expect(await store().session(session.sid)).toEqual({ ...session, ...change, rev: 1 })
      expect(await store().changeSession(session.sid, 1, {})).toBe(true)
      expect(await store().session(session.sid)).toEqual({ ...session, ...change, rev: 2 })
    })

    it('lose what is null in a change, be it there or not', async () => {
      const removable = {
        ...{ nm: 'a name', preview: 'said last', endTs: 5, assistingAdminId: someUid(), assistingAdminName: 'Wanda' },
        share: { hash: `hash of ${someSid()}`, until: 9 },
      }
      const bare = await created(store(), { rts: [3] })
      const nothing = Object.fromEntries(Object.keys(removable).map((field) => [field, null]))
      expect(await store().changeSession(bare.sid, 0, nothing)).toBe(true)
      expect(await store().session(bare.sid)).toEqual({ ...bare, rev: 1 })
      for (const [i, field] of Object.keys(removable).entries()) {
        expect(await store().changeSession(bare.sid, 1 + 2 * i, removable)).toBe(true)
        expect(await store().changeSession(bare.sid, 2 + 2 * i, { [field]: null, readSeq: i })).toBe(true)
        const { [field as keyof typeof removable]: _, ...left } = removable
        expect(await store().session(bare.sid)).toEqual({ ...bare, ...left, readSeq: i, rev: 3 + 2 * i })
      }
    })

    it('do not change by a rev that is not the one of the row, lower or higher', async () => {
      const { sid } = await created(store(), { rev: 4 })
      for (const rev of [3, 5]) expect(await store().changeSession(sid, rev, { msgCount: 9 })).toBe(false)
      expect(await store().session(sid)).toMatchObject({ rev: 4, msgCount: 0 })
    })

    it('change for one of those who read the same rev', async () => {
      const { sid } = await created(store())
      const outcomes = await atOnce(20, (i) => store().changeSession(sid, 0, { msgCount: i + 1 }))
      expect(outcomes.filter(Boolean)).toHaveLength(1)
      expect(await store().session(sid)).toMatchObject({ rev: 1, msgCount: outcomes.indexOf(true) + 1 })
    })

    it('lose none of 50 changes at once, when each who lost reads again (R3)', async () => {
      const { sid } = await created(store())
      await atOnce(50, async () => {
        for (;;) {
          const session = await store().session(sid)
          if (!session) throw new Error('the session is gone')
          const change = { msgCount: session.msgCount + 1, rts: [...session.rts, session.msgCount] }
          if (await store().changeSession(sid, session.rev, change)) return
        }
      })
      const rts = Array.from({ length: 50 }, (_, i) => i)
      expect(await store().session(sid)).toMatchObject({ rev: 50, msgCount: 50, rts })
    })
  })

  describe('the list of a user’s sessions', () => {
    /** A session with a row in it. */
    async function listed(uid: UserId, lastActivity: number, sid = someSid()) {
      await created(store(), { sid, uid, lastActivity })
      await store().insertTurn(someLine({ sid, seq: 1 }))
      return sid
    }
    async function pages(uid: UserId, limit: number): Promise<string[]> {
      const rows = await allPages<Session>(limit, (after) =>
        store().listSessions(uid, { limit, ...(after && { after }) }),
      )
      return rows.map(({ sid }) => sid)
    }

    it('is empty for somebody who has none', async () => {
      expect(await store().listSessions(someUid(), { limit: 10 })).toEqual([])
    })

    it('holds the user’s own that have rows and were not erased, whole', async () => {
      const [uid, other] = [someUid(), someUid()]
      const mine = await listed(uid, 10)
      await listed(other, 20)
      await created(store(), { uid, lastActivity: 30 })
      const erased = await listed(uid, 40)
      await store().changeSession(erased, 0, { erased: true })
      const [session, ...more] = await store().listSessions(uid, { limit: 10 })
      expect(session).toEqual(await store().session(mine))
      expect(more).toEqual([])
    })

    it('pages from the latest activity on, without a gap or a repetition at ties, at every size of page', async () => {
      const uid = someUid()
      const prefix = someSid()
      const rows: { lastActivity: number; sid: string }[] = []
      for (const [i, lastActivity] of [5, 5, 5, 7, 3, 3, 9, 5, 3].entries()) {
        const sid = sessionId(`${prefix}-${i}`)
        rows.push({ lastActivity, sid: await listed(uid, lastActivity, sid) })
      }
      const expected = rows
        .sort((a, b) => b.lastActivity - a.lastActivity || (a.sid < b.sid ? 1 : -1))
        .map(({ sid }) => sid)
      for (let limit = 1; limit <= rows.length + 1; limit += 1) expect(await pages(uid, limit)).toEqual(expected)
    })

    it('goes on behind a session that has moved to the front since', async () => {
      const uid = someUid()
      const sids = [await listed(uid, 1), await listed(uid, 2), await listed(uid, 3)]
      const [first] = await store().listSessions(uid, { limit: 1 })
      expect(first?.sid).toBe(sids[2])
      await store().changeSession(sids[2] ?? someSid(), 0, { lastActivity: 99 })
      const rest = await store().listSessions(uid, { limit: 9, ...(first && { after: first }) })
      expect(rest.map(({ sid }) => sid)).toEqual([sids[1], sids[0]])
      expect((await store().listSessions(uid, { limit: 1 }))[0]?.sid).toBe(sids[2])
    })
  })
}
