import type { Jobs, NewEntry } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { held, lostOnTheWay } from './support/answers.ts'
import { house, isDone, says } from './support/house.ts'

const never = () => new AbortController().signal

describe('a worker that is asked to stop', () => {
  it('lets an answer that speaks finish within its budget', async () => {
    const { ask, worker, provider, ended, device, entries } = await house()
    const first = await worker({ times: { finishMs: 600_000 } })
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('almost')
    await screen.frame(says('almost'))
    const stopped = first.stop(never())
    call.say(' there')
    call.end()
    await stopped
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'almost there' })
    expect(entries.map(({ kind }) => kind)).toEqual(['answer.end'])
  })

  it('hands back at once what has not spoken yet, and another worker does it', async () => {
    const { ask, worker, provider, ended, entry } = await house()
    const first = await worker({ times: { finishMs: 600_000 } })
    const asked = await ask()
    const call = await provider.call(0)
    await first.stop(never())
    expect(call.signal.aborted).toBe(true)
    expect(await entry('answer.handback', asked.answerId)).toMatchObject({ attempt: 1, uid: asked.uid })
    await worker()
    const again = await provider.call(1)
    again.say('done by the other')
    again.end()
    // A planned restart is no crash (R13).
    expect(await ended(asked)).toMatchObject({
      status: 'done',
      text: 'done by the other',
      attempt: 2,
      handbacks: 1,
      faults: 0,
    })
  })

  it('hands back what does not finish in time; its text is taken back by a reset', async () => {
    const { ask, worker, provider, ended, device } = await house()
    const first = await worker({ times: { finishMs: 40 } })
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('a long story')
    await screen.frame(says('long story'))
    await first.stop(never())
    expect(call.signal.aborted).toBe(true)
    await worker()
    const again = await provider.call(1)
    again.say('the same story')
    again.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'the same story', attempt: 2, handbacks: 1 })
    await screen.frame(isDone)
    expect(screen.frames.some((frame) => frame.type === 'answer.reset' && frame.attempt === 2)).toBe(true)
  })

  it('takes no more jobs', async () => {
    const { ask, worker, provider, memory } = await house()
    const first = await worker()
    await first.stop(never())
    await ask()
    await new Promise(setImmediate)
    expect(provider.calls).toEqual([])
    expect(memory.sizes().jobs).toBe(1)
  })

  it('hands back a job that was given to it at the last moment', async () => {
    const { ask, worker, provider, fabric, entry } = await house()
    const asked = await ask('late', { queue: false })
    Object.assign(fabric.jobs, {
      consume: async (handler: Parameters<Jobs['consume']>[0]) => ({
        async stop() {
          await new Promise(setImmediate)
          await handler({ ...asked, n: 0 }, never())
        },
      }),
    })
    const first = await worker({ times: { finishMs: 600_000 } })
    await first.stop(never())
    expect(await entry('answer.handback', asked.answerId)).toMatchObject({ attempt: 1 })
    expect(provider.calls).toEqual([])
  })

  it('gives up at its deadline, whatever hangs', async () => {
    const { ask, worker, provider, device, answers, entries, fabric } = await house()
    const first = await worker({ times: { finishMs: 600_000 } })
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('speaking')
    await screen.frame(says('speaking'))
    const gate = held<'end'>()
    answers.next.end.push(gate.around)
    call.end()
    await gate.arrived
    const deadline = new AbortController()
    const stopped = first.stop(deadline.signal)
    deadline.abort()
    await stopped
    gate.release()
    await expect.poll(async () => (await fabric.answers.inspect([asked]))[0]?.state).toBe('ended')
    await new Promise(setImmediate)
    // What was recorded is the sweeper's now.
    expect(entries).toEqual([])
    expect((await fabric.ingest.backlog(3)).waiting).toBe(0)
  })

  it('a second time waits for the first', async () => {
    const { worker } = await house()
    const first = await worker()
    expect(first.stop(never())).toBe(first.stop(never()))
  })
})

describe('the queue', () => {
  it('that is full or silent is asked again until it takes the end', async () => {
    const { ask, worker, provider, ended, fabric } = await house()
    const { append } = fabric.ingest
    const replies = [async () => 'full' as const, async () => 'unknown' as const, lostOnTheWay]
    const asks: NewEntry[] = []
    Object.assign(fabric.ingest, {
      append: (entry: NewEntry) => {
        asks.push(entry)
        return (replies.shift() ?? append)(entry)
      },
    })
    await worker()
    const asked = await ask()
    const call = await provider.call(0)
    call.say('patience')
    call.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'patience' })
    expect(replies).toEqual([])
    // Ends may use the room that requests may not, and never expire (R7, R9).
    expect(asks.every(({ headroom, ttlMs }) => headroom === true && ttlMs === undefined)).toBe(true)
  })

  it("tells the time that the end has, whatever this machine's clock says (R11)", async () => {
    const { ask, worker, provider, ended, fabric } = await house()
    const ahead = 600_000
    Object.assign(fabric.ingest, { now: async () => Date.now() + ahead })
    await worker()
    const asked = await ask()
    const call = await provider.call(0)
    call.say('later')
    call.end()
    const { endedAt = 0 } = await ended(asked)
    expect(Math.abs(endedAt - Date.now() - ahead)).toBeLessThan(30_000)
  })
})
