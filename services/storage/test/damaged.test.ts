import {
  clientMessageId,
  defaultAnswerLimits,
  emptyTotals,
  newSession,
  partitionOf,
  planSend,
  requestId,
  type SessionId,
  sessionId,
  type UserId,
} from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { createStorage } from '../src/index.ts'
import { type Bench, bench, user } from './fixture.ts'
import { as } from './support/rest.ts'
import { exchange, question, until } from './talk.ts'

const alice = user('alice')
const [broken, whole] = [sessionId('session-broken'), sessionId('session-whole')]

let b: Bench
afterEach(() => b.close())

/** What lies in the database is not what was written there. */
const damages = {
  'the key': async (sid: SessionId) => {
    const row = await b.sealed.session(sid)
    if (!row) throw new Error('there is no such session')
    expect(await b.sealed.changeKey(sid, row.key, edited(row.key), row.keyId)).toBe(true)
    b.conversations.forget(sid)
  },
  'the first row': (sid: SessionId) => damageRow(sid, 1),
  'the last row': (sid: SessionId) => damageRow(sid, 3),
} as const
const whatIsDamaged = Object.keys(damages) as (keyof typeof damages)[]

async function damageRow(sid: SessionId, seq: number): Promise<void> {
  const row = await b.sealed.turn(sid, seq)
  if (!row) throw new Error('there is no such row')
  expect(await b.sealed.resealTurn(row, { ...row, content: edited(row.content) })).toBe(true)
}

const edited = (bytes: Uint8Array): Uint8Array => bytes.with(-1, 255 - (bytes.at(-1) ?? 0))

/** A question with its answer, and one that is being answered. */
async function talk(uid: UserId, sid: SessionId): Promise<void> {
  await exchange(b, uid, sid)
  await question(b, uid, sid)
}

async function isErased(sid: SessionId): Promise<boolean> {
  const session = await b.sealed.session(sid)
  const rows = await b.sealed.turns(sid, { after: 0, limit: 9 })
  return (
    session?.erased === true &&
    session.key.length === 0 &&
    rows.every(({ content, unsettled }) => content.length === 0 && !unsettled) &&
    rows.every(({ answer }) => answer?.status !== 'pending') &&
    rows.at(-1)?.event === 'erased'
  )
}

describe.each(whatIsDamaged)('a session of which %s does not open', (what) => {
  it('can be erased by its user all the same', async () => {
    b = await bench({ damaged: true })
    await talk(alice, broken)
    await damages[what](broken)
    const asked = { uid: alice, sid: broken, requestId: requestId('erase') }
    expect(await b.ask({ kind: 'session.erase', ...asked })).toEqual({ ok: true })
    expect(await isErased(broken)).toBe(true)
    expect(await b.deps.audit.last(partitionOf(alice, 64))).toMatchObject({ action: 'session.erased', sid: broken })
  })

  it('keeps neither the rest of its user nor the user’s id from being erased', async () => {
    b = await bench({ damaged: true })
    for (const sid of [broken, whole]) await talk(alice, sid)
    await damages[what](broken)
    expect(await b.ask({ kind: 'user.erase', uid: alice, requestId: requestId('erase') })).toEqual({ ok: true })
    for (const sid of [broken, whole]) {
      expect(await isErased(sid)).toBe(true)
      expect((await b.sealed.session(sid))?.uid).not.toBe(alice)
    }
  })

  it('is erased when it is old enough, and what is less old with it', async () => {
    b = await bench({ damaged: true })
    for (const sid of [broken, whole]) await talk(alice, sid)
    await damages[what](broken)
    await b.storage.stop(AbortSignal.timeout(5_000))
    const next = createStorage(b.deps, { times: { retentionMs: 20, sweepMs: 50 }, policy: { retentionMs: 1 } })
    await next.start()
    try {
      await until(async () => (await isErased(broken)) && isErased(whole), 'both are erased')
    } finally {
      await next.stop(AbortSignal.timeout(5_000))
    }
  })
})

describe('an answer that another one took the place of', () => {
  it.each(['messages', 'messages?after=0', 'export'])('is not read for what does not show it: %s', async (path) => {
    b = await bench({ damaged: true })
    await exchange(b, alice, whole, { text: 'the first answer' })
    const again = { kind: 'answer.regenerate', uid: alice, sid: whole, seq: 1, requestId: requestId('again') } as const
    expect(await b.ask({ ...again, wish: again.requestId })).toEqual({ ok: true })
    const row = await b.sealed.turn(whole, 1)
    const [old] = row?.superseded ?? []
    if (!row || !old?.text) throw new Error('there is no other answer')
    const damaged = { ...row, superseded: [{ ...old, text: edited(old.text) }] }
    expect(await b.sealed.resealTurn(row, damaged)).toBe(true)
    const ask = await as(b, alice)
    const shown = await ask('GET', `/chat/sessions/${whole}/${path}`)
    expect([shown.statusCode, shown.json().messages]).toMatchObject([200, [{ text: 'hello' }, { status: 'pending' }]])
  })
})

/** A question in a session of its own, as if it had been accepted then. */
async function asked(sid: SessionId, ts: number, overdue: boolean): Promise<void> {
  const session = newSession(sid, alice, partitionOf(alice, 64), 'demo', ts)
  await b.conversations.createSession(session)
  const said = { author: 'user', authorId: alice, cmid: clientMessageId(sid), kind: 'text' } as const
  const limits = { ...defaultAnswerLimits, ...(overdue && { maxQueueMs: 0, totalMs: 0 }) }
  const plan = planSend(session, emptyTotals, { ...said, content: { text: 'hello' } }, ts - 1_000, limits)
  if (plan.kind === 'refuse') throw new Error(plan.code)
  await b.conversations.insertTurn({ ...plan.turn, ts })
  if (plan.turn.answer) await b.deps.fabric.jobs.enqueue({ sid, answerId: plan.turn.answer.answerId, n: 0 })
}

describe('a turn that does not open', () => {
  it('does not keep the sweeper from what is on a later page', async () => {
    b = await bench({ damaged: true })
    // More than a page of turns that wait for their answers, the damaged one among the first.
    await b.storage.stop(AbortSignal.timeout(5_000))
    const [first, ...others] = [broken, ...Array.from({ length: 204 }, (_, i) => sessionId(`session-${i}`))] as const
    const last = others.at(-1) ?? whole
    const begun = Date.now()
    await Promise.all([first, ...others].map((sid, i) => asked(sid, begun + i, sid === first || sid === last)))
    await damageRow(first, 1)
    const next = createStorage(b.deps, { times: { sweepMs: 50 } })
    await next.start()
    try {
      await until(async () => (await b.sealed.turn(last, 1))?.answer?.status === 'failed', 'the last one is ended')
    } finally {
      await next.stop(AbortSignal.timeout(5_000))
    }
  })
})
