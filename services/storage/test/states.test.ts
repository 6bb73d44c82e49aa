import { type Conversations, emptyTotals, newSession, sessionId } from '@chatbox/core'
import { expect, it } from 'vitest'
import { sessionStates, whileOwned } from '../src/session-states.ts'
import { user } from './fixture.ts'

it('what was still under way when a partition was lost is not remembered for the next time it is owned (R1)', async () => {
  const sid = sessionId('session-1')
  const row = newSession(sid, user('alice'), 0, 'demo', 1)
  let reads = 0
  const conversations: Pick<Conversations, 'session' | 'totals'> = {
    async session() {
      reads += 1
      return { ...row, rev: 7 }
    },
    totals: async () => emptyTotals,
  }
  const states = sessionStates(conversations, { max: 10, graceMs: 60_000 })
  const lost = new AbortController()
  const owned = whileOwned(states, lost.signal)
  owned.keep(sid, { session: row, totals: emptyTotals })
  expect(await owned.get(sid)).toMatchObject({ session: { rev: row.rev } })
  lost.abort()
  owned.keep(sid, { session: row, totals: emptyTotals })
  expect(await whileOwned(states, new AbortController().signal).get(sid)).toMatchObject({ session: { rev: 7 } })
  expect(reads).toBe(1)
})

it('is forgotten of a partition that was left, and of no other', async () => {
  const rows = [1, 2].map((partition) => newSession(sessionId(`of-${partition}`), user('alice'), partition, 'demo', 1))
  const none = { session: async () => undefined, totals: async () => emptyTotals }
  const states = sessionStates(none, { max: 10, graceMs: 60_000 })
  for (const session of rows) states.keep(session.sid, { session, totals: emptyTotals })
  states.leave(1)
  expect(await Promise.all(rows.map(({ sid }) => states.get(sid)))).toEqual([
    undefined,
    { session: rows[1], totals: emptyTotals },
  ])
})
