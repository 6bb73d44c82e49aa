import { beginEvent, deltaEvent } from '@chatbox/core'
import { ProviderFault } from '@chatbox/worker'
import { describe, expect, it } from 'vitest'
import { held } from './support/answers.ts'
import { house, says } from './support/house.ts'

describe('cancelling', () => {
  it('before the worker begins: the mark is enough, and no provider is asked', async () => {
    const { ask, worker, provider, ended, conversations } = await house()
    const asked = await ask()
    await conversations.changePending(asked.sid, asked.answerId, { n: 0 }, { cancelAt: Date.now() })
    await worker()
    expect(await ended(asked)).toMatchObject({ status: 'cancelled', text: '', attempt: 1 })
    expect(provider.calls).toEqual([])
  })

  it('before a later attempt begins: what the earlier one had shown is kept', async () => {
    const { ask, worker, provider, ended, device, conversations, fabric, memory } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    ;(await provider.call(0)).say('shown before the crash')
    await screen.frame(says('shown'))
    await conversations.changePending(asked.sid, asked.answerId, { n: 0 }, { cancelAt: Date.now() })
    memory.test.jobs.lose({ ...asked, n: 0 })
    expect(await ended(asked)).toMatchObject({ status: 'cancelled', text: 'shown before the crash', attempt: 2 })
    expect((await fabric.answers.snapshot(asked.uid)).open).toEqual([])
  })

  it('before a later attempt begins: what an earlier one had ended with, too late, was shown and is kept', async () => {
    const { ask, worker, ended, conversations, fabric } = await house()
    const asked = await ask()
    const { sid, answerId } = asked
    await conversations.beginAttempt(sid, answerId, 0, 'fresh')
    await fabric.answers.begin(asked, 1, 0, beginEvent(asked, 1, 'demo'))
    await fabric.answers.append([{ ref: asked, attempt: 1, index: 0, chunk: deltaEvent(asked, 1, 0, 'all of it') }])
    // Somebody else begins in the database, and comes no further.
    await conversations.beginAttempt(sid, answerId, 1, 'fresh')
    await fabric.answers.end(asked, 1, {
      header: { answerId, attempt: 1, class: 'end' },
      body: Buffer.from(JSON.stringify({ status: 'done', text: 'all of it', endedAt: 1 })),
    })
    await conversations.changePending(sid, answerId, { n: 0 }, { cancelAt: Date.now() })
    await worker()
    expect(await ended(asked)).toMatchObject({ status: 'cancelled', text: 'all of it', attempt: 3 })
  })

  it('before the first token: the request ends, and the prompt is counted', async () => {
    const { ask, worker, provider, ended, fabric } = await house()
    await worker()
    const asked = await ask('a question of some length, so that it counts')
    const call = await provider.call(0)
    await fabric.answers.cancel(asked)
    await call.closed
    const answer = await ended(asked)
    expect(answer).toMatchObject({ status: 'cancelled', text: '', usage: { outputTokens: 0, estimated: true } })
    expect(answer.usage?.inputTokens).toBeGreaterThan(10)
  })

  it('in the middle: what was accepted is kept, with an estimate of its usage (L5)', async () => {
    const { ask, worker, provider, ended, fabric, device } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.usage(99, 1)
    call.say('half an answer of several words')
    await screen.frame(says('half'))
    await fabric.answers.cancel(asked)
    await call.closed
    const answer = await ended(asked)
    expect(answer).toMatchObject({ status: 'cancelled', text: 'half an answer of several words' })
    expect(answer.usage).toMatchObject({ inputTokens: 99, estimated: true })
    expect(answer.usage?.outputTokens).toBeGreaterThan(5)
  })

  it('takes what was never sent out of the text, and leaves in what may have been shown', async () => {
    const { ask, worker, provider, ended, fabric, answers, device } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('shown,')
    await screen.frame(says('shown'))
    const gate = held<'append'>()
    answers.next.append.push(gate.around)
    call.say(' under way,')
    await gate.arrived
    call.say(' never sent')
    await expect.poll(() => call.taken).toBe(3)
    await fabric.answers.cancel(asked)
    await call.closed
    gate.release()
    expect(await ended(asked)).toMatchObject({ status: 'cancelled', text: 'shown, under way,' })
  })

  it('while the worker waits to ask again', async () => {
    const { ask, worker, provider, ended, fabric } = await house()
    await worker({ times: { retryMs: 600_000, maxRetryMs: 600_000, totalMs: 3_600_000 } })
    const asked = await ask()
    const call = await provider.call(0)
    call.fail(new ProviderFault('provider_overloaded', 'try later', { retryable: true }))
    await call.closed
    await fabric.answers.cancel(asked)
    expect(await ended(asked)).toMatchObject({ status: 'cancelled', text: '' })
    expect(provider.calls).toHaveLength(1)
  })

  it('after the end mark changes nothing: the answer is done, once', async () => {
    const { ask, worker, provider, ended, fabric, answers, entries } = await house()
    await worker()
    const asked = await ask()
    answers.next.end.push(async (call, ...args) => {
      await fabric.answers.cancel(asked)
      return call(...args)
    })
    const call = await provider.call(0)
    call.say('all of it')
    call.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'all of it' })
    expect(entries).toHaveLength(1)
  })

  it('works when the signal is lost: the flags of all answers are read in one call (R18)', async () => {
    const { ask, worker, provider, ended, answers } = await house()
    answers.onCancel = async () => async () => undefined
    await worker({ times: { cancelPollMs: 30 } })
    const asked = await Promise.all([ask(), ask(), ask()])
    await provider.call(2)
    const [first] = asked
    await answers.cancel(first)
    expect((await ended(first)).status).toBe('cancelled')
    expect(Math.max(...answers.polls)).toBe(3)
  })
})
