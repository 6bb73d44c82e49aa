import { EventEmitter, once } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoff, createTimers, jitter, scaled } from '../../src/index.ts'

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const ms = fc.integer({ min: 1, max: 10_000_000 })

describe('waits', () => {
  it('are jittered over the upper half of what was asked', () => {
    fc.assert(
      fc.property(ms, random, (wait, chance) => {
        const jittered = jitter(wait, () => chance)
        expect(jittered).toBeGreaterThanOrEqual(wait / 2)
        expect(jittered).toBeLessThanOrEqual(wait)
      }),
    )
    expect(jitter(1000, () => 0)).toBe(500)
    expect(jitter(1000, () => 0.999)).toBeGreaterThan(990)
  })

  it('double with each try, never above the limit, for any number of tries', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), ms, ms, random, (attempt, base, max, chance) => {
        const bounds = { base, max }
        const wait = backoff(attempt, bounds, () => chance)
        expect(wait).toBeLessThanOrEqual(max)
        expect(wait).toBeGreaterThanOrEqual(Math.min(base, max) / 2)
        expect(backoff(attempt + 1, bounds, () => chance)).toBeGreaterThanOrEqual(wait)
      }),
    )
    expect([0, 1, 2, 3, 4].map((attempt) => backoff(attempt, { base: 100, max: 1000 }, () => 0))).toEqual([
      50, 100, 200, 400, 500,
    ])
  })
})

describe('timers', () => {
  it('scale every interval, and none to nothing', () => {
    fc.assert(
      fc.property(ms, fc.double({ min: 0.001, max: 10, noNaN: true }), (interval, scale) => {
        const result = scaled(interval, scale)
        expect(Number.isInteger(result) && result >= 1).toBe(true)
        expect(Math.abs(result - interval * scale)).toBeLessThanOrEqual(1)
      }),
    )
    expect(createTimers(0.1).all({ lease: 10_000, stall: 4000, tick: 3 })).toEqual({ lease: 1000, stall: 400, tick: 1 })
  })

  it('never give setTimeout more than it can hold', () =>
    expect(createTimers().ms(Number.MAX_SAFE_INTEGER)).toBe(2 ** 31 - 1))

  it('run a task once, unless it is cancelled before', async () => {
    const timers = createTimers(0.1)
    const events = new EventEmitter()
    const cancelled: string[] = []
    const cancel = timers.after(10, () => cancelled.push('ran'))
    cancel()
    const ran = once(events, 'ran')
    timers.after(20, () => events.emit('ran'))
    await ran
    expect(cancelled).toEqual([])
  })

  it('repeat a task without overlap, go on after a failure, and stop when the last run has ended', async () => {
    const events = new EventEmitter()
    const errors: unknown[] = []
    let runs = 0
    let inside = 0
    let most = 0
    const third = once(events, 'third')
    const stop = createTimers(0.001).every(
      1000,
      async (stopping) => {
        most = Math.max(most, ++inside)
        runs++
        if (runs === 3) {
          events.emit('third')
          await once(stopping, 'abort')
        }
        inside--
        if (runs === 1) throw new Error('first')
      },
      (error) => errors.push(error),
    )
    await third
    await stop()
    expect({ runs, inside, most, errors: errors.length }).toEqual({ runs: 3, inside: 0, most: 1, errors: 1 })
  })

  it('sleep until the signal says otherwise', async () => {
    const timers = createTimers()
    await timers.sleep(1)
    const controller = new AbortController()
    const sleeping = timers.sleep(60_000, controller.signal)
    controller.abort(new Error('stopping'))
    await expect(sleeping).rejects.toThrow('stopping')
  })
})
