import { ProviderFault } from '@chatbox/worker'
import { describe, expect, it } from 'vitest'
import { held } from './support/answers.ts'
import { house, isDone, says } from './support/house.ts'

describe('a store that lost the record', () => {
  it('gets all of it again under a higher attempt, and the provider is not asked twice (R12)', async () => {
    const { ask, worker, provider, ended, device, memory } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('said before')
    await screen.frame(says('said before'))
    memory.empty('realtime')
    call.say(', said after')
    await screen.frame((frame) => frame.type === 'answer.reset' && frame.attempt === 2)
    call.say(', and to the end')
    call.end()

    const answer = await ended(asked)
    // The loss is nobody's crash and no fault of the provider (R13).
    expect(answer).toMatchObject({ status: 'done', attempt: 2, faults: 0, handbacks: 1 })
    expect(answer.text).toBe('said before, said after, and to the end')
    await screen.frame(isDone)
    expect(screen.text).toBe(answer.text)
    expect(provider.calls).toHaveLength(1)
  })

  it('between the last word and the end: the end goes to storage all the same', async () => {
    const { ask, worker, provider, ended, answers, memory } = await house()
    await worker()
    answers.next.end.push(async (call, ...args) => {
      memory.empty('realtime')
      return call(...args)
    })
    const asked = await ask()
    const call = await provider.call(0)
    call.say('complete')
    call.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'complete', attempt: 1 })
  })

  it('and the cancel flag with it: the mark in the database stops the answer', async () => {
    const { ask, worker, provider, ended, device, memory, conversations } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('said')
    await screen.frame(says('said'))
    await conversations.changePending(asked.sid, asked.answerId, { n: 0 }, { cancelAt: Date.now() })
    memory.empty('realtime')
    call.say(' more')
    await call.closed
    expect(await ended(asked)).toMatchObject({ status: 'cancelled', text: 'said more' })
  })

  it('again and again is left in the end: something is wrong with it', async () => {
    const { ask, worker, provider, device, memory, entries, answerOf } = await house()
    await worker({ bounds: { maxRewrites: 1 } })
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('one')
    await screen.frame(says('one'))
    for (const word of ['two', 'three']) {
      memory.empty('realtime')
      call.say(word)
      if (word === 'two') await screen.frame(says(word))
    }
    await call.closed
    await expect.poll(() => memory.sizes().jobs).toBe(0)
    expect(entries).toEqual([])
    expect(await answerOf(asked)).toMatchObject({ status: 'pending', attempt: 2 })
  })

  it('while the provider fails: the two reasons to begin again do not race each other', async () => {
    const { ask, worker, provider, ended, device, memory, answers } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('said')
    await screen.frame(says('said'))
    const gate = held<'begin'>()
    answers.next.begin.push(gate.around)
    memory.empty('realtime')
    call.say(' more')
    await gate.arrived
    call.fail(new ProviderFault('provider_error', 'cut', { retryable: true }))
    await call.closed
    // Longer than the wait before the next try.
    await new Promise((resolve) => setTimeout(resolve, 50))
    gate.release()
    const next = await provider.call(1)
    next.say('all of it')
    next.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'all of it', attempt: 3, faults: 1, handbacks: 1 })
  })

  it('and somebody else has begun since: the worker stops', async () => {
    const { ask, worker, provider, device, memory, conversations, entries, answerOf } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('said')
    await screen.frame(says('said'))
    await conversations.beginAttempt(asked.sid, asked.answerId, 1, 'fresh')
    memory.empty('realtime')
    call.say(' more')
    await call.closed
    await expect.poll(() => memory.sizes().jobs).toBe(0)
    expect(entries).toEqual([])
    expect(await answerOf(asked)).toMatchObject({ status: 'pending', attempt: 2 })
  })
})
