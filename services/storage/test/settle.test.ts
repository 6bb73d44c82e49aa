import { clientMessageId, planSend, requestId, sessionId } from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, type BenchOptions, bench, user } from './fixture.ts'
import { exchange, finish, question, someEnd, until } from './talk.ts'

const alice = user('alice')
const sid = sessionId('session-1')

let b: Bench
afterEach(() => b.close())
const open = async (options?: BenchOptions) => {
  b = await bench(options)
  return b
}

type Step = 'announce' | 'enqueue' | 'project' | 'settle'

/** A process that dies at a step, with an ingest log that dies too: the entry is put aside, and comes to nobody again. */
function dying() {
  let at: Step | undefined
  const breaks =
    <A extends unknown[], R>(name: Step, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (at === name) throw new Error(`died at ${name}`)
      return call(...args)
    }
  const wrap: BenchOptions['wrap'] = (deps) => ({
    ...deps,
    conversations: {
      ...deps.conversations,
      changeSession: breaks('project', deps.conversations.changeSession),
      settle: breaks('settle', deps.conversations.settle),
    },
    fabric: {
      ...deps.fabric,
      bus: { ...deps.fabric.bus, append: breaks('announce', deps.fabric.bus.append) },
      jobs: { ...deps.fabric.jobs, enqueue: breaks('enqueue', deps.fabric.jobs.enqueue) },
    },
  })
  return {
    wrap,
    at(step: Step | undefined) {
      at = step
    },
  }
}

const unsettled = async () =>
  (await b.conversations.turns(sid, { after: 0, limit: 9 })).filter((turn) => turn.unsettled)

describe('a turn from which not everything has followed (decision 10)', () => {
  it.each(['announce', 'enqueue', 'project'] as const)(
    'because its process died at %s of a message: the message is told, queued and counted all the same',
    async (step) => {
      const dies = dying()
      await open({ wrap: dies.wrap })
      const events = await b.events(alice)
      dies.at(step)
      expect(await b.say(alice, sid, 'hello')).toMatchObject({ ok: false })
      dies.at(undefined)
      await events.waitFor((frame) => frame.type === 'message' && frame.text === 'hello')
      const [turn] = await unsettled()
      const { answerId, n = 0 } = turn?.answer ?? {}
      if (!answerId) throw new Error('there is no answer')
      await until(
        async () =>
          (await b.deps.fabric.jobs.exists([0, 1, 2].map((add) => ({ sid, answerId, n: n + add })))).includes(true),
        'it is queued',
      )
      // What is queued is answered, and its end counts both, whatever was missed before.
      await b.conversations.beginAttempt(sid, answerId, 0, 'fresh')
      await finish(b, alice, sid, answerId, 1)
      expect(await b.conversations.session(sid)).toMatchObject({ msgCount: 2, totalTokens: 7, preview: 'an answer' })
    },
  )

  it.each(['announce', 'project', 'settle'] as const)(
    'because its process died at %s of an end: the end is told once more, and counted once, its time too (S6)',
    async (step) => {
      const dies = dying()
      await open({ wrap: dies.wrap })
      const id = await question(b, alice, sid)
      await b.conversations.beginAttempt(sid, id, 0, 'fresh')
      const events = await b.events(alice)
      dies.at(step)
      const { askedAt = 0 } = (await b.conversations.turnByAnswerId(sid, id))?.answer ?? {}
      await finish(b, alice, sid, id, 1, someEnd({ endedAt: askedAt + 1_234 }))
      expect(await b.conversations.turnByAnswerId(sid, id)).toMatchObject({
        unsettled: true,
        answer: { status: 'done' },
      })
      dies.at(undefined)
      await events.waitFor((frame) => frame.type === 'answer.done' && frame.answerId === id)
      await until(async () => (await unsettled()).length === 0, 'it is settled')
      expect(await b.conversations.session(sid)).toMatchObject({ totalTokens: 7, msgCount: 2, rts: [1_234] })
    },
  )

  it('because its process died at the end of a session: the session is ended all the same', async () => {
    const dies = dying()
    await open({ wrap: dies.wrap })
    await question(b, alice, sid)
    dies.at('project')
    await b.ask({ kind: 'session.end', uid: alice, sid, requestId: requestId('end') })
    expect(await b.conversations.session(sid)).not.toHaveProperty('endTs')
    dies.at(undefined)
    await until(async () => (await b.conversations.session(sid))?.endTs !== undefined, 'it has ended')
    await until(async () => (await unsettled()).length === 0, 'everything is settled')
    expect((await b.conversations.turns(sid, { limit: 9 })).map(({ event }) => event)).toEqual(['ended', undefined])
  })

  it('because another owner died after it had stored an end: it is counted, whatever is remembered here of the session', async () => {
    await open()
    const id = await question(b, alice, sid)
    await b.conversations.beginAttempt(sid, id, 0, 'fresh')
    expect(await b.conversations.endAnswer(sid, id, someEnd(), 1)).toBe(true)
    await until(async () => (await unsettled()).length === 0, 'it is settled')
    expect(await b.conversations.session(sid)).toMatchObject({ totalTokens: 7, msgCount: 2 })
  })

  it('because another owner died after it had stored a question: it is queued, whatever is remembered here of the session', async () => {
    await open()
    await exchange(b, alice, sid)
    const session = await b.conversations.session(sid)
    if (!session) throw new Error('there is no session')
    const cmid = clientMessageId('of-another')
    const said = { author: 'user', authorId: alice, cmid, kind: 'text', content: { text: 'and then?' } } as const
    const plan = planSend(session, await b.conversations.totals(sid), said, Date.now(), b.deps.answerLimits)
    if (plan.kind !== 'insert' || !plan.turn.answer) throw new Error('it is not to be answered')
    await b.conversations.insertTurn(plan.turn)
    const { answerId } = plan.turn.answer
    const names = [0, 1, 2].map((n) => ({ sid, answerId, n }))
    await until(async () => (await b.deps.fabric.jobs.exists(names)).includes(true), 'it is queued')
    await until(async () => (await b.conversations.session(sid))?.msgCount === 4, 'it is counted')
  })

  it('is none where everything has: a message without an answer, an answer that has ended, the end of a session', async () => {
    await open()
    const id = await question(b, alice, sid)
    expect(await unsettled()).toHaveLength(1)
    await b.conversations.beginAttempt(sid, id, 0, 'fresh')
    await finish(b, alice, sid, id, 1)
    expect(await unsettled()).toEqual([])
    await b.ask({ kind: 'session.end', uid: alice, sid, requestId: requestId('end') })
    expect(await unsettled()).toEqual([])
  })
})
