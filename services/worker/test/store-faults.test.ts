import { type ChunkAppend, MAX_ANSWER_BYTES, textOf } from '@chatbox/core'
import { ProviderFault } from '@chatbox/worker'
import { describe, expect, it } from 'vitest'
import { held, lostOnTheWay, replyLost } from './support/answers.ts'
import { house, isDone, says } from './support/house.ts'

describe('a chunk whose sending was not answered', () => {
  for (const [fault, around] of Object.entries({
    'lost on the way': lostOnTheWay,
    'accepted, but the reply lost': replyLost<[readonly ChunkAppend[]]>(),
  })) {
    it(`is sent again as it was, with nothing added (R14): ${fault}`, async () => {
      const { ask, worker, provider, ended, answers, device } = await house()
      await worker()
      const gate = held<'append'>()
      answers.next.append.push(async (call, chunks) => {
        await gate.around(async () => [], chunks)
        return around(call, chunks)
      })
      const asked = await ask()
      const screen = await device(asked.uid)
      const call = await provider.call(0)
      call.say('first')
      await gate.arrived
      call.say(' and more')
      gate.release()
      call.end()

      expect((await ended(asked)).text).toBe('first and more')
      const [first, again, next] = answers.appends
      expect(again).toEqual(first)
      expect(first?.map(({ index }) => index)).toEqual([0])
      expect(next?.map(({ index }) => index)).toEqual([1])
      await screen.frame(isDone)
      expect(screen.text).toBe('first and more')
    })
  }

  it('keeps the provider waiting once enough is unsent, and no sooner', async () => {
    const { ask, worker, provider, ended, answers } = await house()
    await worker({ bounds: { maxUnsentUnits: 100 } })
    const gate = held<'append'>()
    answers.next.append.push(gate.around)
    const asked = await ask()
    const call = await provider.call(0)
    call.say(...Array.from({ length: 50 }, () => '0123456789'))
    await gate.arrived
    await new Promise(setImmediate)
    expect(call.taken).toBe(10)
    gate.release()
    call.end()
    expect((await ended(asked)).text).toBe('0123456789'.repeat(50))
  })

  it('does not count as time that the provider took', async () => {
    const { ask, worker, provider, ended, answers } = await house()
    await worker({ times: { idleMs: 100 }, bounds: { maxUnsentUnits: 4 } })
    answers.next.append.push(async (call, chunks) => {
      await new Promise((resolve) => setTimeout(resolve, 250))
      return call(chunks)
    })
    const asked = await ask()
    const call = await provider.call(0)
    call.say('12345')
    call.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: '12345' })
  })

  it('leaves the answer to the sweeper when the store stays away', async () => {
    const { ask, worker, provider, answers, answerOf, memory, entries } = await house()
    await worker({ times: { awayMs: 60 } })
    answers.next.append.push(...Array.from({ length: 50 }, () => lostOnTheWay))
    const asked = await ask()
    const call = await provider.call(0)
    call.say('unheard')
    await call.closed
    await expect.poll(() => memory.sizes().jobs).toBe(0)
    expect(await answerOf(asked)).toMatchObject({ status: 'pending', attempt: 1 })
    expect(entries).toEqual([])
  })
})

describe('a store that outranks the worker', () => {
  it('makes a resumed ghost stop: it writes nothing, and its heir ends the answer (P6)', async () => {
    const { ask, worker, provider, fabric, conversations, entry, entries, answerOf } = await house()
    await worker()
    const asked = await ask()
    const ghost = await provider.call(0)
    ghost.say('from the ghost')
    await expect
      .poll(async () => textOf((await fabric.answers.snapshot(asked.uid)).open[0]?.chunks ?? []))
      .toContain('ghost')

    // As another worker would that was given the job.
    const { answerId, sid, n } = { ...asked, n: 1 }
    await conversations.changePending(sid, answerId, { n: 0 }, { n })
    await fabric.jobs.enqueue({ sid, answerId, n })
    const heir = await provider.call(1)
    heir.say('from the heir')
    ghost.say(' and more of it')
    ghost.end()
    await ghost.closed
    heir.end()

    await entry('answer.end', answerId)
    expect(await answerOf(asked)).toMatchObject({ status: 'done', attempt: 2, text: 'from the heir' })
    expect(entries).toHaveLength(1)
  })

  it('makes it stop when the answer was closed from outside', async () => {
    const { ask, worker, provider, fabric, memory, entries } = await house()
    await worker()
    const asked = await ask()
    const call = await provider.call(0)
    call.say('something')
    await fabric.answers.close(asked)
    call.say(' more')
    await call.closed
    await expect.poll(() => memory.sizes().jobs).toBe(0)
    expect(entries).toEqual([])
  })

  it('keeps it from beginning under an older owner epoch (R20)', async () => {
    const { ask, worker, provider, fabric, memory, answerOf } = await house()
    const asked = await ask()
    await fabric.answers.fence(asked.uid, asked.sid, 5)
    await worker()
    await expect.poll(() => memory.sizes().jobs).toBe(0)
    expect(provider.calls).toEqual([])
    expect(await answerOf(asked)).toMatchObject({ status: 'pending', attempt: 1 })
  })

  for (const [what, change] of Object.entries({
    'was ended': { endTs: 1, ownerEpoch: 1 },
    'is with a human': { adminAssisted: true, ownerEpoch: 1 },
    'was erased': { erased: true, ownerEpoch: 1 },
  })) {
    it(`keeps it from beginning in a session that ${what}, though the epoch it reads is the new one (R20)`, async () => {
      const { ask, worker, provider, conversations, memory, entries } = await house()
      const asked = await ask()
      expect(await conversations.changeSession(asked.sid, 0, change)).toBe(true)
      await worker()
      await expect.poll(() => memory.sizes().jobs).toBe(0)
      expect(provider.calls).toEqual([])
      expect(entries).toEqual([])
    })
  }

  it('does not let its end count', async () => {
    const { ask, worker, provider, answers, fabric, memory, entries } = await house()
    await worker()
    answers.next.end.push(async (call, ref, attempt, end) => {
      await fabric.answers.close(ref)
      return call(ref, attempt, end)
    })
    await ask()
    const call = await provider.call(0)
    call.say('too late')
    call.end()
    await call.closed
    await expect.poll(() => memory.sizes().jobs).toBe(0)
    expect(entries).toEqual([])
  })
})

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

describe('a reply that was lost', () => {
  it('of begin: the record is known as our own', async () => {
    const { ask, worker, provider, ended, answers } = await house()
    await worker()
    answers.next.begin.push(replyLost())
    const asked = await ask()
    const call = await provider.call(0)
    call.say('begun')
    call.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', attempt: 1, text: 'begun' })
  })

  it('of the end: it is recorded once', async () => {
    const { ask, worker, provider, ended, answers, entries } = await house()
    await worker()
    answers.next.end.push(replyLost(), lostOnTheWay)
    const asked = await ask()
    const call = await provider.call(0)
    call.say('over')
    call.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'over' })
    expect(entries).toHaveLength(1)
  })
})

describe('a text that is too long', () => {
  it('ends as failed, with what there is room for (R14)', async () => {
    const { ask, worker, provider, ended, device } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    const block = 'é'.repeat(2_048)
    for (let i = 0; i < 80; i++) call.say(block)
    await call.closed
    const answer = await ended(asked)
    expect(answer).toMatchObject({ status: 'failed', error: 'provider_error' })
    const bytes = Buffer.byteLength(answer.text ?? '')
    expect(bytes).toBeLessThanOrEqual(MAX_ANSWER_BYTES)
    expect(bytes).toBeGreaterThan(MAX_ANSWER_BYTES * 0.8)
    await screen.frame(isDone)
    expect(screen.text).toBe(answer.text)
  })

  it('by our own bound alone is cut at it, and the provider is not listened to any more', async () => {
    const { ask, worker, provider, ended } = await house({ memory: { bounds: { answerBytes: 10_000_000 } } })
    await worker()
    const asked = await ask()
    const call = await provider.call(0)
    for (let i = 0; i < 70; i++) call.say('é'.repeat(2_000))
    await call.closed
    const answer = await ended(asked)
    expect(answer).toMatchObject({ status: 'failed', error: 'provider_error' })
    expect(Buffer.byteLength(answer.text ?? '')).toBe(MAX_ANSWER_BYTES)
  })

  it('by the store keeps exactly what it accepted', async () => {
    const { ask, worker, provider, ended, answers, device } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('accepted')
    await screen.frame(says('accepted'))
    answers.next.append.push(async (_, chunks) => chunks.map(() => 'full' as const))
    call.say(' refused')
    call.end()
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'provider_error', text: 'accepted' })
  })

  it('is kept in few pieces: older chunks are merged, and the snapshot has the same text', async () => {
    const { ask, worker, provider, fabric, answers, device } = await house()
    await worker({ times: { tickMs: 1, maxTickMs: 1 } })
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    const said: string[] = []
    for (let i = 0; i < 400; i++) {
      said.push(`${i} of four hundred pieces. `)
      call.say(`${i} of four hundred pieces. `)
      if (i % 4 === 0) await screen.frame((frame) => frame.type === 'answer.delta' && frame.text.includes(`${i} of`))
    }
    await screen.frame(says('399 of'))
    const [open] = (await fabric.answers.snapshot(asked.uid)).open
    expect(textOf(open?.chunks ?? [])).toBe(said.join(''))
    expect(answers.merges.length).toBeGreaterThan(1)
    expect(open?.chunks.length).toBeLessThan(answers.appends.flat().length - 50)
    call.end()
  })
})
