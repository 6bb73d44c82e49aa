import { type Outcome, randomId, requestId, sessionId } from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, type BenchOptions, bench, user } from './fixture.ts'
import { exchange, finish, question, someEnd, until } from './talk.ts'

const [alice, bob] = [user('alice'), user('bob')]
const sid = sessionId('session-1')

let b: Bench
afterEach(() => b.close())
const open = async (options?: BenchOptions) => {
  b = await bench(options)
  return b
}

interface Asked {
  readonly wish?: string
  readonly seq?: number
  readonly modelId?: string
  readonly uid?: typeof alice
}

const regenerate = ({ wish = randomId(), seq = 1, modelId, uid = alice }: Asked = {}): Promise<Outcome> =>
  b.ask({
    kind: 'answer.regenerate',
    uid,
    sid,
    requestId: requestId(randomId()),
    wish: requestId(wish),
    seq,
    ...(modelId !== undefined && { modelId }),
  })

const stored = async (seq = 1) => {
  const turn = await b.conversations.turn(sid, seq)
  if (!turn?.answer) throw new Error('there is no answer')
  return { ...turn, answer: turn.answer }
}

const refused = (code: string) => ({ ok: false, code })

describe('another answer to a question (R19)', () => {
  it('takes the place of the one before, which is kept, and is told, queued and counted', async () => {
    await open()
    const old = await exchange(b, alice, sid, { text: 'the first' })
    const events = await b.events(alice)
    expect(await regenerate({ modelId: 'other' })).toEqual({ ok: true })
    const { answer, superseded } = await stored()
    expect(answer).toMatchObject({ status: 'pending', attempt: 0, modelId: 'other', due: expect.any(Number) })
    expect(superseded).toMatchObject([{ answerId: old, status: 'done', text: 'the first' }])
    const { answerId } = answer
    await events.waitFor((frame) => frame.type === 'message' && frame.answer?.answerId === answerId)
    await events.waitFor((frame) => frame.type === 'session.updated' && frame.session.modelId === 'other')
    expect(await b.deps.fabric.jobs.exists([{ sid, answerId, n: 0 }])).toEqual([true])

    await b.conversations.beginAttempt(sid, answerId, 0, 'fresh')
    await finish(b, alice, sid, answerId, 1, someEnd({ text: 'the second' }))
    expect((await stored()).answer).toMatchObject({ status: 'done', text: 'the second' })
    expect(await b.conversations.session(sid)).toMatchObject({ msgCount: 2, totalTokens: 14, preview: 'the second' })
  })

  it('is asked of the model of the session again, where another one stood in for it before', async () => {
    await open()
    const notices = ['model_fallback'] as const
    await exchange(b, alice, sid, { modelId: 'other', notices })
    const events = await b.events(alice)
    expect((await stored()).answer).toMatchObject({ modelId: 'other', notices })
    const { modelId } = (await b.conversations.session(sid)) ?? {}
    expect(modelId).not.toBe('other')
    expect(await regenerate()).toEqual({ ok: true })
    const { answer, superseded } = await stored()
    expect(answer).toMatchObject({ status: 'pending', modelId })
    // What was said of the one before stays with it.
    expect(answer.notices).toBeUndefined()
    expect(superseded).toMatchObject([{ modelId: 'other', notices }])
    await b.conversations.beginAttempt(sid, answer.answerId, 0, 'fresh')
    await finish(b, alice, sid, answer.answerId, 1)
    const done = await events.waitFor((frame) => frame.type === 'answer.done' && frame.answerId === answer.answerId)
    expect(done).toMatchObject({ modelId })
    expect(done).not.toHaveProperty('notices')
  })

  it('is made once, however often and from how many sides one wish comes', async () => {
    await open()
    await exchange(b, alice, sid)
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => regenerate({ wish: 'again' })))
    expect(outcomes).toEqual(outcomes.map(() => ({ ok: true })))
    const { answer, superseded } = await stored()
    expect(superseded).toHaveLength(1)
    await b.conversations.beginAttempt(sid, answer.answerId, 0, 'fresh')
    await finish(b, alice, sid, answer.answerId, 1)
    // Also once it has ended, and once yet another one has taken its place.
    expect(await regenerate({ wish: 'again' })).toEqual({ ok: true })
    expect(await regenerate({ wish: 'once more' })).toEqual({ ok: true })
    expect(await regenerate({ wish: 'again' })).toEqual({ ok: true })
    expect((await stored()).superseded).toHaveLength(2)
  })

  it('is not made while the answer, or another one of the session, is pending', async () => {
    await open()
    await exchange(b, alice, sid)
    await question(b, alice, sid, 'and this?')
    expect(await regenerate({ seq: 3 })).toEqual(refused('conflict'))
    expect(await regenerate({ seq: 1 })).toEqual(refused('busy'))
    expect((await stored(1)).superseded).toEqual([])
  })

  it('lets a question that comes meanwhile wait for it (R16)', async () => {
    await open()
    await exchange(b, alice, sid)
    await regenerate()
    const next = await question(b, alice, sid, 'and this?')
    expect((await stored(3)).answer.due).toBeUndefined()
    const { answerId } = (await stored(1)).answer
    await b.conversations.beginAttempt(sid, answerId, 0, 'fresh')
    await finish(b, alice, sid, answerId, 1)
    expect(await b.deps.fabric.jobs.exists([{ sid, answerId: next, n: 0 }])).toEqual([true])
  })

  it('is refused for a model or a question that does not exist, and for those of somebody else', async () => {
    await open()
    await exchange(b, alice, sid)
    expect(await regenerate({ modelId: 'none' })).toEqual(refused('not_found'))
    expect(await regenerate({ seq: 2 })).toEqual(refused('not_found'))
    expect(await regenerate({ seq: 9 })).toEqual(refused('not_found'))
    expect(await regenerate({ uid: bob })).toEqual(refused('not_found'))
    expect((await stored()).superseded).toEqual([])
  })

  it('is refused where nobody asked a model, in a session that has ended, and beyond a budget', async () => {
    await open({ policy: { tokensPerDay: 10 } })
    await exchange(b, alice, sid)
    await exchange(b, alice, sid)
    expect(await regenerate({ seq: 3 })).toEqual(refused('budget_exceeded'))
    await b.ask({ kind: 'session.end', uid: alice, sid, requestId: requestId(randomId()) })
    expect(await regenerate({ seq: 3 })).toEqual(refused('session_ended'))
    // The line that says that the session was ended.
    expect(await regenerate({ seq: 5 })).toEqual(refused('session_ended'))
  })

  it('is refused once sixteen answers are kept', async () => {
    await open()
    await exchange(b, alice, sid)
    for (let kept = 1; kept < 16; kept++) {
      expect(await regenerate()).toEqual({ ok: true })
      const { answerId } = (await stored()).answer
      await b.conversations.beginAttempt(sid, answerId, 0, 'fresh')
      await finish(b, alice, sid, answerId, 1)
    }
    expect(await regenerate()).toEqual(refused('conflict'))
    expect((await stored()).superseded).toHaveLength(15)
  })

  it('is queued all the same where the process died behind the write (R8)', async () => {
    let dead = false
    await open({
      wrap: (deps) => ({
        ...deps,
        fabric: {
          ...deps.fabric,
          bus: {
            ...deps.fabric.bus,
            append: async (...args) => {
              if (dead) throw new Error('died')
              return deps.fabric.bus.append(...args)
            },
          },
        },
      }),
    })
    await exchange(b, alice, sid)
    dead = true
    expect(await regenerate()).toMatchObject({ ok: false })
    dead = false
    const { answerId } = (await stored()).answer
    const queued = async () => {
      const { n } = (await stored()).answer
      return (await b.deps.fabric.jobs.exists([{ sid, answerId, n }]))[0] === true
    }
    await until(queued, 'it is queued')
  })
})
