import { requestId, sessionId } from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, type BenchOptions, bench, user } from './fixture.ts'
import { exchange, question, until } from './talk.ts'

const alice = user('alice')
const sid = sessionId('session-1')

let b: Bench
afterEach(() => b.close())
const open = async (options?: BenchOptions) => {
  b = await bench(options)
  return b
}

describe('retention', () => {
  it('erases sessions that nobody used for longer, in the way that users do, and no others', async () => {
    let age = 0
    let found = 0
    await open({
      times: { retentionMs: 30 },
      policy: { retentionMs: 60_000 },
      wrap: (deps) => ({
        ...deps,
        conversations: {
          ...deps.conversations,
          // As if the sessions were older than they are.
          async erasable(query) {
            if (!('before' in query)) return deps.conversations.erasable(query)
            const old = await deps.conversations.erasable({ ...query, before: query.before + age })
            if (old.includes(sid)) found += 1
            return old
          },
        },
      }),
    })
    await exchange(b, alice, sid, { text: 'old' })
    const { lastActivity = 0 } = (await b.conversations.session(sid)) ?? {}
    // Found as old, and used since: it is looked at again in its turn.
    age = 120_000
    await until(() => found >= 3, 'it was found in three rounds')
    expect(await b.conversations.session(sid)).toMatchObject({ erased: false, lastActivity })
  })

  it('goes by the last activity', async () => {
    await open({ times: { retentionMs: 20 }, policy: { retentionMs: 300 } })
    await exchange(b, alice, sid, { text: 'old' })
    await until(async () => (await b.conversations.session(sid))?.erased === true, 'it is old enough')
    const { lastActivity = 0 } = (await b.conversations.session(sid)) ?? {}
    expect(Date.now() - lastActivity).toBeGreaterThanOrEqual(300)
    await until(
      async () => (await b.deps.audit.last((await b.conversations.session(sid))?.partition ?? 0)) !== undefined,
      'the audit has it',
    )
    expect(await b.deps.audit.last((await b.conversations.session(sid))?.partition ?? 0)).toMatchObject({
      actor: 'retention',
      action: 'session.erased',
    })
    await until(
      async () => (await b.conversations.turns(sid, { limit: 1 })).every((turn) => !turn.unsettled),
      'it is through',
    )
    expect(await b.counted('storage_erased_sessions_total')).toEqual({ 'by="retention"': 1 })
  })
})

describe('a budget of tokens a day (security 22)', () => {
  it('refuses a question before it is accepted once it is used up, and says so; other users go on', async () => {
    await open({ policy: { tokensPerDay: 10 } })
    await exchange(b, alice, sid)
    expect(await b.say(alice, sid, 'one more')).toEqual({ ok: true })
    const [turn] = await b.conversations.turns(sid, { limit: 1 })
    const id = turn?.answer?.answerId
    if (!id) throw new Error('there is no answer')
    await b.conversations.beginAttempt(sid, id, 0, 'fresh')
    await b.ask({
      kind: 'answer.end',
      uid: alice,
      sid,
      requestId: requestId('second'),
      answerId: id,
      attempt: 1,
      end: {
        status: 'cancelled',
        text: '',
        endedAt: Date.now(),
        usage: { inputTokens: 3, outputTokens: 0, estimated: true },
      },
    })
    const before = (await b.conversations.totals(sid)).nextSeq
    expect(await b.say(alice, sid, 'too much')).toEqual({ ok: false, code: 'budget_exceeded' })
    expect(await b.say(alice, sessionId('another'), 'too much here too')).toEqual({
      ok: false,
      code: 'budget_exceeded',
    })
    expect((await b.conversations.totals(sid)).nextSeq).toBe(before)
    expect(await b.say(user('bob'), sessionId('of-bob'), 'hello')).toEqual({ ok: true })
  })

  it('is not won back by an erasure', async () => {
    await open({ policy: { tokensPerDay: 5 } })
    await exchange(b, alice, sid)
    expect(await b.ask({ kind: 'user.erase', uid: alice, requestId: requestId('erase') })).toEqual({ ok: true })
    expect(await b.say(alice, sessionId('session-2'), 'hello')).toEqual({ ok: false, code: 'budget_exceeded' })
  })

  it('tells a message that was accepted before as it was (P2)', async () => {
    await open({ policy: { tokensPerDay: 1 } })
    await b.say(alice, sid, 'first', { cmid: 'c-1' })
    const [turn] = await b.conversations.turns(sid, { limit: 1 })
    await b.conversations.endAnswer(sid, turn?.answer?.answerId ?? ('' as never), {
      status: 'done',
      text: 'x',
      endedAt: Date.now(),
      usage: { inputTokens: 1, outputTokens: 1, estimated: false },
    })
    expect(await b.say(alice, sid, 'first', { cmid: 'c-1' })).toEqual({ ok: true })
    expect(await b.say(alice, sid, 'second')).toEqual({ ok: false, code: 'budget_exceeded' })
  })

  it('is the day’s: what ended yesterday does not count', async () => {
    await open({ policy: { tokensPerDay: 5 } })
    const id = await question(b, alice, sid)
    await b.conversations.endAnswer(sid, id, {
      status: 'done',
      text: 'x',
      endedAt: Date.now() - 86_400_000,
      usage: { inputTokens: 100, outputTokens: 1, estimated: false },
    })
    expect(await b.say(alice, sid, 'today')).toEqual({ ok: true })
  })
})
