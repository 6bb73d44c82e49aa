import { setImmediate as turn } from 'node:timers/promises'
import { Unavailable } from '@chatbox/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type GatherOptions, gather } from '../src/gather.ts'

interface Call {
  readonly key: string
  readonly value: number
}

/** A gatherer whose groups are done when the test says so. */
function stand(options: Partial<GatherOptions<Call, number>> = {}) {
  const groups: { readonly calls: readonly Call[]; done(): void; fail(error: unknown): void }[] = []
  const counts = { groups: 0, calls: 0 }
  const call = gather<Call, number>(
    {
      ...{ what: 'be done', ms: 0, size: 100, answerMs: 10_000 },
      keyOf: ({ key }) => key,
      run: (calls) =>
        new Promise((resolve, reject) => {
          groups.push({ calls, done: () => resolve(calls.map(({ value }) => value * 10)), fail: reject })
        }),
      ...options,
    },
    counts,
  )
  const keys = () => groups.map(({ calls }) => calls.map(({ key, value }) => `${key}${value}`))
  return { call, groups, counts, keys }
}

describe('calls that are gathered', () => {
  it('in one turn of the event loop are one group, and each gets its own outcome', async () => {
    const { call, groups, counts, keys } = stand()
    const outcomes = Promise.all(['a', 'b', 'c'].map((key, value) => call({ key, value })))
    await turn()
    expect(keys()).toEqual([['a0', 'b1', 'c2']])
    groups[0]?.done()
    expect(await outcomes).toEqual([0, 10, 20])
    expect(counts).toEqual({ groups: 1, calls: 3 })
  })

  describe('where others are about', () => {
    /** Calls one after the other, each with a key of its own, and a clock that goes on when the test says so. */
    function clocked() {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      onTestFinished(() => void vi.useRealTimers())
      const { call, groups, keys } = stand({ ms: 10, keyOf: ({ value }) => String(value) })
      const outcomes: Promise<number>[] = []
      return {
        groups,
        keys,
        outcomes,
        async ask(...values: number[]) {
          for (const value of values) outcomes.push(call({ key: 'k', value }))
          await turn()
        },
        async pass(ms: number) {
          vi.advanceTimersByTime(ms)
          await turn()
        },
        async done(group: number) {
          groups[group]?.done()
          await turn()
          await turn()
        },
      }
    }

    it('wait for them, and who is alone does not', async () => {
      const { ask, pass, done, keys } = clocked()
      await ask(1)
      expect(keys()).toEqual([['k1']])
      await done(0)
      await ask(2)
      expect(keys()).toEqual([['k1'], ['k2']])
      await ask(3)
      await pass(9)
      await ask(4)
      expect(keys()).toHaveLength(2)
      await pass(1)
      expect(keys()).toEqual([['k1'], ['k2'], ['k3', 'k4']])
      // There were several just now: there may be again.
      await done(1)
      await done(2)
      await ask(5)
      expect(keys()).toHaveLength(3)
      await pass(10)
      expect(keys()[3]).toEqual(['k5'])
    })

    it('wait until some of what is under way is done, where that is enough for a server, and ten times as long at most', async () => {
      const { ask, pass, done, groups, keys, outcomes } = clocked()
      await ask(1)
      await ask(2)
      await pass(10)
      await ask(3)
      await pass(60)
      await ask(4)
      expect(keys()).toEqual([['k1'], ['k2']])
      await done(1)
      expect(keys()).toEqual([['k1'], ['k2'], ['k3', 'k4']])
      await ask(5)
      await pass(99)
      expect(keys()).toHaveLength(3)
      await pass(1)
      expect(keys()[3]).toEqual(['k5'])
      for (const group of groups) group.done()
      expect(await Promise.all(outcomes)).toEqual([10, 20, 30, 40, 50])
    })
  })

  it('wait for others as long as they are told to, and go at once when a group is full', async () => {
    const { call, groups, keys } = stand({ ms: 10_000, size: 2 })
    const outcomes = [call({ key: 'a', value: 1 }), call({ key: 'b', value: 2 })]
    expect(keys()).toEqual([['a1', 'b2']])
    groups[0]?.done()
    expect(await Promise.all(outcomes)).toEqual([10, 20])
  })

  it('of one key go one after the other, in their order, while others go on', async () => {
    const { call, groups, keys } = stand()
    const outcomes = [1, 2, 3].map((value) => call({ key: 'a', value }))
    await turn()
    outcomes.push(call({ key: 'b', value: 4 }))
    await turn()
    expect(keys()).toEqual([['a1'], ['b4']])
    groups[0]?.done()
    expect(await outcomes[0]).toBe(10)
    await expect.poll(keys).toEqual([['a1'], ['b4'], ['a2']])
    groups[2]?.done()
    await expect.poll(keys).toEqual([['a1'], ['b4'], ['a2'], ['a3']])
    groups[1]?.done()
    groups[3]?.done()
    expect(await Promise.all(outcomes)).toEqual([10, 20, 30, 40])
  })

  it('of one key wait for an outcome that comes later than those of its group', async () => {
    let confirm: (value: number) => void = () => undefined
    const late = new Promise<number>((resolve) => {
      confirm = resolve
    })
    const groups: number[][] = []
    const { call } = stand({
      run: async (calls) => {
        groups.push(calls.map(({ value }) => value))
        return calls.map(({ value }) => (value === 1 ? late : value * 10))
      },
    })
    const first = call({ key: 'a', value: 1 })
    const others = [call({ key: 'a', value: 2 }), call({ key: 'b', value: 3 })]
    expect(await others[1]).toBe(30)
    await turn()
    expect(groups).toEqual([[1, 3]])
    confirm(7)
    expect([await first, await others[0]]).toEqual([7, 20])
    expect(groups).toEqual([[1, 3], [2]])
  })

  it('fail together where it is not known what became of them', async () => {
    const { call, groups } = stand()
    const outcomes = Promise.allSettled([call({ key: 'a', value: 1 }), call({ key: 'b', value: 2 })])
    await turn()
    groups[0]?.fail(new Unavailable('away'))
    const failed = { status: 'rejected', reason: new Unavailable('away') }
    expect(await outcomes).toEqual([failed, failed])
    expect(groups).toHaveLength(1)
  })

  it('are done alone where one of them can’t be done, which takes none of the others with it', async () => {
    const { call } = stand({
      run: async (calls) => {
        if (calls.some(({ value }) => value === 2)) throw new TypeError('no such thing')
        return calls.map(({ value }) => value * 10)
      },
    })
    const outcomes = await Promise.allSettled([1, 2, 3].map((value) => call({ key: `${value}`, value })))
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: 10 },
      { status: 'rejected', reason: new TypeError('no such thing') },
      { status: 'fulfilled', value: 30 },
    ])
  })

  it('are answered in their time while they wait for their turn, and are not done afterwards', async () => {
    const { call, groups, keys } = stand({ answerMs: 50 })
    const [first, second] = [call({ key: 'a', value: 1 }), call({ key: 'a', value: 2 })]
    const outcomes = await Promise.allSettled([first, second])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: new Unavailable('MongoDB took too long to be done') })
    }
    groups[0]?.done()
    await turn()
    // On a busy machine the time of this one may be up before its turn comes.
    while (groups.length < 2) await Promise.allSettled([call({ key: 'a', value: 3 })])
    expect(keys()).toEqual([['a1'], ['a3']])
  })
})
