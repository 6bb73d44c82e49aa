import { type ChunkAppend, textOf } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { held, lostOnTheWay, replyLost } from './support/answers.ts'
import { house, isDone } from './support/house.ts'

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

describe('a store that is away when a worker starts', () => {
  it('keeps it from nothing: signals of cancels are heard once the store is there', async () => {
    const { ask, worker, provider, ended, answers, fabric } = await house()
    const listening = new Promise<void>((resolve) => {
      answers.next.onCancel.push(lostOnTheWay, lostOnTheWay, async (call, listener) => {
        const leave = await call(listener)
        resolve()
        return leave
      })
    })
    // What is heard is to be the signal, and not the flag.
    answers.next.cancelled.push(...Array.from({ length: 1_000 }, () => lostOnTheWay))
    await worker({ times: { cancelPollMs: 20 } })
    await listening
    const asked = await ask()
    const call = await provider.call(0)
    await fabric.answers.cancel(asked)
    await call.closed
    expect(await ended(asked)).toMatchObject({ status: 'cancelled' })
  })
})
