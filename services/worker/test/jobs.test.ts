import { describe, expect, it } from 'vitest'
import { house, isDone, says } from './support/house.ts'
import type { Call } from './support/provider.ts'

describe('two workers', () => {
  it('with the same job make one answer', async () => {
    const { ask, worker, provider, fabric, ended, entries, memory } = await house()
    const asked = await ask('who answers?', { queue: false })
    const { sid, answerId } = asked
    await worker()
    await worker()
    // Two names of one answer, as after a stall: both are given out, and the answer is at the first.
    await fabric.jobs.enqueue({ sid, answerId, n: 0 })
    await fabric.jobs.enqueue({ sid, answerId, n: 1 })
    const call = await provider.call(0)
    await expect.poll(async () => (await fabric.jobs.depth()).active).toBeLessThan(2)
    for (const one of provider.calls) {
      one.say('one answer')
      one.end()
    }
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'one answer' })
    await expect.poll(() => memory.sizes().jobs).toBe(0)
    expect(entries).toHaveLength(1)
    expect(call.signal.aborted).toBe(true)
  })

  it('share what waits', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker({ bounds: { concurrency: 2 } })
    await worker({ bounds: { concurrency: 2 } })
    const asked = await Promise.all(Array.from({ length: 4 }, () => ask()))
    await provider.call(3)
    for (const call of provider.calls) {
      call.say('ok')
      call.end()
    }
    const ends = await Promise.all(asked.map((one) => ended(one)))
    expect(ends.map(({ status }) => status)).toEqual(['done', 'done', 'done', 'done'])
  })
})

describe('a job that was lost', () => {
  it('makes the worker stop without a word; whoever has it next does the answer', async () => {
    const { ask, worker, provider, ended, entries, memory, device } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('mine')
    await screen.frame(says('mine'))
    memory.test.jobs.lose({ ...asked, n: 0 })
    await call.closed
    const next = await provider.call(1)
    next.say('theirs')
    next.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'theirs', attempt: 2 })
    expect(entries).toHaveLength(1)
  })

  it('of a name that is no longer the answer is left alone', async () => {
    const { ask, worker, provider, fabric, conversations, memory, answerOf } = await house()
    const asked = await ask('asked', { queue: false })
    await conversations.changePending(asked.sid, asked.answerId, { n: 0 }, { n: 1 })
    await fabric.jobs.enqueue({ ...asked, n: 0 })
    await worker()
    await expect.poll(() => memory.sizes().jobs).toBe(0)
    expect(provider.calls).toEqual([])
    expect((await answerOf(asked)).attempt).toBe(0)
  })
})

describe('an answer that keeps crashing its workers', () => {
  it('fails for good after its last chance (R13)', async () => {
    const { ask, worker, provider, ended, conversations } = await house()
    const asked = await ask('poison')
    for (let attempt = 0; attempt < 2; attempt++) {
      await conversations.beginAttempt(asked.sid, asked.answerId, attempt, 'fresh')
    }
    await worker({ limits: { maxCrashes: 2 } })
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'answer_lost', attempt: 3 })
    expect(provider.calls).toEqual([])
  })

  it('does not count hand-backs and faults among its crashes', async () => {
    const { ask, worker, provider, ended, conversations } = await house()
    const asked = await ask('unlucky')
    for (const [attempt, cause] of (['fresh', 'fault', 'gone', 'fault'] as const).entries()) {
      await conversations.beginAttempt(asked.sid, asked.answerId, attempt, cause)
    }
    await worker({ limits: { maxCrashes: 2 } })
    const call = await provider.call(0)
    call.say('fine')
    call.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', attempt: 5 })
  })
})

describe('answers whose workers died all but too often', () => {
  function finish(call: Call): void {
    call.say('said')
    call.end()
  }

  async function suspects(count: number) {
    const place = await house()
    const asked = []
    for (let i = 0; i < count; i++) {
      const one = await place.ask(`suspect ${i}`)
      await place.conversations.beginAttempt(one.sid, one.answerId, 0, 'fresh')
      await place.conversations.beginAttempt(one.sid, one.answerId, 1, 'fresh')
      asked.push(one)
    }
    return { ...place, asked, limits: { maxCrashes: 3 } }
  }

  it('are tried one after the other, beside all others: none of them dies of another one again (R13)', async () => {
    const { ask, worker, provider, ended, asked, limits } = await suspects(3)
    await worker({ limits })
    for (const [i, one] of asked.entries()) {
      const call = await provider.call(2 * i)
      // Time enough for the other suspects to come as well.
      const fresh = await ask('fresh')
      finish(await provider.call(2 * i + 1))
      expect(await ended(fresh)).toMatchObject({ status: 'done', attempt: 1 })
      expect(provider.calls.length).toBe(2 * i + 2)
      finish(call)
      expect(await ended(one)).toMatchObject({ status: 'done', attempt: 3 })
    }
  })

  it('are handed back while they wait, when their worker stops', async () => {
    const { worker, provider, entry, asked, limits, memory } = await suspects(2)
    const running = await worker({ limits })
    await provider.call(0)
    await expect.poll(() => memory.sizes().jobs).toBe(2)
    await running.stop(AbortSignal.timeout(5_000))
    for (const { answerId } of asked) expect(await entry('answer.handback', answerId)).toMatchObject({ attempt: 3 })
    expect(provider.calls.length).toBe(1)
  })

  it('make way for the next when their job is lost', async () => {
    const { worker, provider, asked, limits, memory } = await suspects(2)
    await worker({ limits })
    const call = await provider.call(0)
    const [first] = asked
    if (first) memory.test.jobs.lose({ ...first, n: 0 })
    await call.closed
    await provider.call(1)
  })
})

describe('a worker that died after it had recorded the end', () => {
  it('has done the work: the next one only tells storage', async () => {
    const { ask, worker, provider, ended, fabric, conversations, device } = await house()
    const asked = await ask('asked', { queue: false })
    await conversations.beginAttempt(asked.sid, asked.answerId, 0, 'fresh')
    await fabric.answers.begin(asked, 1, 0, {
      header: { class: 'logged', type: 'answer.started', sid: asked.sid, answerId: asked.answerId, attempt: 1 },
      body: new Uint8Array(),
    })
    const end = { status: 'done', text: 'finished before', endedAt: 5 }
    await fabric.answers.end(asked, 1, {
      header: { answerId: asked.answerId, attempt: 1, class: 'end' },
      body: Buffer.from(JSON.stringify(end)),
    })
    const screen = await device(asked.uid)
    await fabric.jobs.enqueue({ ...asked, n: 0 })
    await worker()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'finished before', attempt: 1 })
    expect(provider.calls).toEqual([])
    await screen.frame(isDone)
  })
})
