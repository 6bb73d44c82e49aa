import { answerId, sessionId } from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type AtWork, jobsAtWork } from '../src/jobs/at-work.ts'

const data = { sid: sessionId('s'), answerId: answerId('a'), n: 1 }

describe('jobs at work', () => {
  let works: AtWork | undefined
  afterEach(() => works?.close())

  function start(lost: readonly string[] = []) {
    const handled: { signal: AbortSignal; end(fault?: Error): void }[] = []
    const renewed: [string[], string[]][] = []
    const errors: unknown[] = []
    works = jobsAtWork({
      handler: (_, signal) =>
        new Promise((resolve, reject) => {
          handled.push({ signal, end: (fault) => (fault ? reject(fault) : resolve()) })
        }),
      holdMs: 30,
      async renew(ids, tokens) {
        renewed.push([ids, tokens])
        return lost
      },
      onError: (error) => errors.push(error),
      onFault: (fault) => errors.push(fault),
    })
    return { works, handled, renewed, errors }
  }

  it('that come again while they are still at work are lost to the first, and held for the second alone', async () => {
    const { works, handled, renewed } = start()
    const ghost = works.run({ id: 'a-1', token: 'first', data })
    const heir = works.run({ id: 'a-1', token: 'second', data })
    expect(handled.map(({ signal }) => signal.aborted)).toEqual([true, false])
    handled[0]?.end()
    expect((await ghost).lost).toBe(true)
    await expect.poll(() => renewed.length).toBeGreaterThan(1)
    expect(renewed.every(([ids, tokens]) => ids.length === 1 && tokens[0] === 'second')).toBe(true)
    handled[1]?.end()
    expect((await heir).lost).toBe(false)
    await works.idle()
  })

  it('that were lost are told once and renewed no more; what their handler throws then is of no account', async () => {
    const { works, handled, renewed, errors } = start(['a-1'])
    const running = works.run({ id: 'a-1', token: 'first', data })
    await expect.poll(() => handled[0]?.signal.aborted).toBe(true)
    const times = renewed.length
    handled[0]?.end(new Error('aborted'))
    expect((await running).lost).toBe(true)
    expect([renewed.length, errors]).toEqual([times, []])
  })

  it('are over when their handler fails, and the fault is told', async () => {
    const { works, handled, errors } = start()
    const running = works.run({ id: 'a-1', token: 'first', data })
    const fault = new Error('failed')
    handled[0]?.end(fault)
    expect((await running).lost).toBe(false)
    expect(errors).toEqual([fault])
    expect(works.size).toBe(0)
  })
})
