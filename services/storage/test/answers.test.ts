import {
  type AnswerEnd,
  type AnswerId,
  type AnswerRef,
  answerId,
  beginEvent,
  deltaEvent,
  estimateTokens,
  type Job,
  requestId,
  sessionId,
} from '@chatbox/core'
import type { ServerFrameOf } from '@chatbox/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Bench, bench, user } from './fixture.ts'

const alice = user('alice')
const sid = sessionId('session-1')

const end = (text: string, more: Partial<AnswerEnd> = {}): AnswerEnd => ({
  status: 'done',
  text,
  endedAt: Date.now(),
  usage: { inputTokens: 3, outputTokens: 4, estimated: false },
  ...more,
})

describe('an answer', () => {
  let b: Bench
  beforeEach(async () => {
    b = await bench()
  })
  afterEach(() => b.close())

  async function question(text = 'hello'): Promise<AnswerId> {
    const events = await b.events(alice)
    await b.say(alice, sid, text)
    const frame = (await events.waitFor((f) => f.type === 'message' && f.text === text)) as ServerFrameOf<'message'>
    return answerId(frame.answer?.answerId ?? '')
  }

  const ref = (id: AnswerId, seq = 2): AnswerRef => ({ uid: alice, sid, answerId: id, seq })

  async function begin(id: AnswerId): Promise<void> {
    expect(await b.conversations.beginAttempt(sid, id, 0, 'fresh')).toBeDefined()
    expect(await b.deps.fabric.answers.begin(ref(id), 1, 0, beginEvent(ref(id), 1, 'demo'))).toBe('begun')
  }

  const finish = (id: AnswerId, attempt: number, how: AnswerEnd) =>
    b.ask({
      kind: 'answer.end',
      uid: alice,
      sid,
      requestId: requestId(`end-${id}-${attempt}-${Math.random()}`),
      answerId: id,
      attempt,
      end: how,
    })

  const stored = async (id: AnswerId) => (await b.conversations.turnByAnswerId(sid, id))?.answer

  it('ends once, however often its end comes, and counters stay exact (R3)', async () => {
    const id = await question()
    await begin(id)
    for (let i = 0; i < 3; i++) await finish(id, 1, end('hi there'))
    expect(await stored(id)).toMatchObject({ status: 'done', text: 'hi there' })
    const session = await b.conversations.session(sid)
    expect(session).toMatchObject({ totalTokens: 7, msgCount: 2 })
    expect(session?.rts).toHaveLength(1)
  })

  it('is not ended by an attempt that has been overtaken (R12)', async () => {
    const id = await question()
    await begin(id)
    await b.conversations.beginAttempt(sid, id, 1, 'fresh')
    await finish(id, 1, end('from a ghost'))
    expect(await stored(id)).toMatchObject({ status: 'pending', attempt: 2 })
    await finish(id, 2, end('from the heir'))
    expect(await stored(id)).toMatchObject({ status: 'done', text: 'from the heir' })
  })

  it('that ended lets the next one of its session begin (R16)', async () => {
    const first = await question('one')
    const second = await question('two')
    expect((await stored(second))?.due).toBeUndefined()
    await begin(first)
    await finish(first, 1, end('1'))
    expect((await stored(second))?.due).toBeDefined()
    expect(await b.deps.fabric.jobs.exists([{ sid, answerId: second, n: 0 }])).toEqual([true])
  })

  it('that nobody has begun is ended by a cancel at once (R18)', async () => {
    const events = await b.events(alice)
    const id = await question()
    expect(await b.ask({ kind: 'answer.cancel', uid: alice, sid, requestId: requestId('c1'), answerId: id })).toEqual({
      ok: true,
    })
    const done = await events.waitFor((frame) => frame.type === 'answer.done')
    expect(done).toMatchObject({ answerId: id, status: 'cancelled', length: 0 })
    expect(await b.deps.fabric.jobs.depth()).toMatchObject({ waiting: 0 })
  })

  it('that is being written gets the mark, the flag and the signal of a cancel', async () => {
    const id = await question()
    await begin(id)
    const signalled = new Promise((resolve) => void b.deps.fabric.answers.onCancel(resolve))
    await b.ask({ kind: 'answer.cancel', uid: alice, sid, requestId: requestId('c1'), answerId: id })
    expect(await signalled).toBe(id)
    expect(await b.deps.fabric.answers.cancelled([ref(id)])).toEqual([true])
    expect(await stored(id)).toMatchObject({ status: 'pending', cancelAt: expect.any(Number) })
  })

  it('of somebody else can not be cancelled', async () => {
    const id = await question()
    const asked = {
      kind: 'answer.cancel' as const,
      uid: user('mallory'),
      sid,
      requestId: requestId('c1'),
      answerId: id,
    }
    expect(await b.ask(asked)).toEqual({ ok: false, code: 'not_found' })
  })

  it('that was handed back is queued again at once and counts as no crash (R13)', async () => {
    const id = await question()
    await begin(id)
    await b.ask({ kind: 'answer.handback', uid: alice, sid, requestId: requestId('h1'), answerId: id, attempt: 1 })
    expect(await stored(id)).toMatchObject({ status: 'pending', attempt: 1, handbacks: 1, n: 1 })
    expect(await b.deps.fabric.jobs.exists([{ sid, answerId: id, n: 1 }])).toEqual([true])
  })

  it('keeps what an attempt had ended with that was overtaken, when nobody else ends it (R17)', async () => {
    const id = await question()
    await begin(id)
    await b.deps.fabric.answers.append([
      { ref: ref(id), attempt: 1, index: 0, chunk: deltaEvent(ref(id), 1, 0, 'all of it') },
    ])
    await b.conversations.beginAttempt(sid, id, 1, 'fresh')
    await b.deps.fabric.answers.end(ref(id), 1, {
      header: { answerId: id, attempt: 1, class: 'end' },
      body: Buffer.from(JSON.stringify(end('all of it'))),
    })
    await b.conversations.changePending(sid, id, { n: 0 }, { cancelAt: 1 })
    await expect
      .poll(() => stored(id))
      .toMatchObject({
        ...{ status: 'cancelled', text: 'all of it' },
        usage: { inputTokens: 3, outputTokens: 4, estimated: false },
      })
  })

  it('keeps exactly the text that was shown when its session ends under it (R20)', async () => {
    const events = await b.events(alice)
    const id = await question()
    const waits = await question('and this one waits')
    await begin(id)
    const chunk = (index: number, text: string) => ({
      ref: ref(id),
      attempt: 1,
      index,
      chunk: deltaEvent(ref(id), 1, index, text),
    })
    await b.deps.fabric.answers.append([chunk(0, 'half a '), chunk(1, 'sentence')])
    await b.ask({ kind: 'session.end', uid: alice, sid, requestId: requestId('e1') })
    // Its worker may not say any more what it took.
    const usage = { inputTokens: 0, outputTokens: estimateTokens('half a sentence'), estimated: true }
    expect(await stored(id)).toMatchObject({ status: 'cancelled', text: 'half a sentence', usage })
    expect(await stored(waits)).toMatchObject({ status: 'cancelled', text: '' })
    expect((await stored(waits))?.usage).toBeUndefined()
    expect((await b.conversations.session(sid))?.totalTokens).toBe(usage.outputTokens)
    expect(await b.deps.fabric.answers.append([chunk(2, ' and more')])).toEqual(['ended'])
    await events.waitFor((frame) => frame.type === 'message' && frame.event === 'ended')
    expect((await b.conversations.session(sid))?.endTs).toBeDefined()
  })

  it.each(['session.end', 'session.erase'] as const)(
    'that is being written makes its worker stop by a %s, though it has nothing to say yet',
    async (kind) => {
      const id = await question()
      await begin(id)
      const signalled: AnswerId[] = []
      await b.deps.fabric.answers.onCancel((answer) => void signalled.push(answer))
      await b.ask({ kind, uid: alice, sid, requestId: requestId('e1') })
      await expect.poll(() => signalled).toEqual([id])
      expect(await stored(id)).not.toMatchObject({ status: 'pending' })
    },
  )

  describe('that nobody works on any more', () => {
    it('takes what was shown of it, by an estimate, when its time is over (L5, R17)', async () => {
      const id = await question()
      await begin(id)
      await b.deps.fabric.answers.append([
        { ref: ref(id), attempt: 1, index: 0, chunk: deltaEvent(ref(id), 1, 0, 'some of it') },
      ])
      await b.conversations.changePending(sid, id, { n: 0 }, { due: 1 })
      await expect
        .poll(() => stored(id))
        .toMatchObject({
          ...{ status: 'failed', error: 'provider_timeout', text: 'some of it' },
          usage: { inputTokens: 0, outputTokens: estimateTokens('some of it'), estimated: true },
        })
    })

    it('is queued again under a new job name when its job was lost (R17)', async () => {
      const id = await question()
      b.memory.empty('queue')
      await expect.poll(async () => (await stored(id))?.n).toBe(1)
      expect(await b.deps.fabric.jobs.exists([{ sid, answerId: id, n: 1 }])).toEqual([true])
    })

    it('is queued again once, and under one name, although its message is told once more', async () => {
      await b.close()
      const enqueued: Job[] = []
      b = await bench({
        wrap: (deps) => ({
          ...deps,
          fabric: {
            ...deps.fabric,
            jobs: {
              ...deps.fabric.jobs,
              enqueue(job) {
                enqueued.push(job)
                return deps.fabric.jobs.enqueue(job)
              },
            },
          },
        }),
      })
      const id = await question()
      const events = await b.events(alice)
      b.memory.empty('queue')
      await expect.poll(async () => (await stored(id))?.n).toBe(1)
      // In line behind what the sweep does.
      await question('and another')
      expect(events.frames.filter((frame) => frame.type === 'message' && frame.text === 'hello')).toHaveLength(1)
      expect(enqueued).toEqual([0, 1].map((n) => ({ sid, answerId: id, n })))
    })

    it('is not queued a second time by a sweep that had looked at it before it was queued at all', async () => {
      await b.close()
      let goOn = (): void => undefined
      const looked = new Promise<void>((resolve) => {
        goOn = resolve
      })
      const enqueued: Job[] = []
      let waits = false
      b = await bench({
        wrap: (deps) => ({
          ...deps,
          fabric: {
            ...deps.fabric,
            jobs: {
              ...deps.fabric.jobs,
              async enqueue(job) {
                enqueued.push(job)
                waits = true
                await looked
                await deps.fabric.jobs.enqueue(job)
              },
              async exists(jobs) {
                const there = await deps.fabric.jobs.exists(jobs)
                // Whatever is decided from this look is in line before the next one.
                if (waits && jobs.length > 0) setImmediate(goOn)
                return there
              },
            },
          },
        }),
      })
      const id = await question()
      // In line behind what the sweep wanted.
      await question('and another')
      expect(await stored(id)).toMatchObject({ status: 'pending', n: 0 })
      expect(enqueued).toEqual([{ sid, answerId: id, n: 0 }])
    })

    it('ends as its worker recorded, when the end has not arrived; where it does later, the same is told again (R8)', async () => {
      const events = await b.events(alice)
      const id = await question()
      await begin(id)
      const recorded = end('recorded only')
      const body = Buffer.from(JSON.stringify(recorded))
      await b.deps.fabric.answers.end(ref(id), 1, { header: { answerId: id, attempt: 1, class: 'end' }, body })
      await events.waitFor((frame) => frame.type === 'answer.done')
      expect(await stored(id)).toMatchObject({ status: 'done', text: 'recorded only' })
      await finish(id, 1, recorded)
      const [first, ...more] = events.frames.filter(({ type }) => type === 'answer.done')
      expect(first).toMatchObject({ status: 'done' })
      expect(more).toEqual([first])
    })
  })
})
