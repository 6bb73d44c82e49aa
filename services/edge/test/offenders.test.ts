import { memoryFabric } from '@chatbox/memory'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createOffenders } from '../src/offenders.ts'

const WINDOW_MS = 60_000

function budgetOf(points: number) {
  const memory = memoryFabric({ limits: { handshakes: { points, perMs: WINDOW_MS } } })
  onTestFinished(() => memory.close())
  let now = 0
  return {
    limiter: memory.limiter,
    offenders: () => createOffenders(memory.limiter, () => now),
    pass(ms: number) {
      now += ms
    },
  }
}

describe('addresses that failed too often (X6, R29)', () => {
  it('are kept away once their budget is used up, and no longer than it is', async () => {
    const budget = budgetOf(3)
    const offenders = budget.offenders()
    for (let i = 0; i < 3; i++) {
      expect(offenders.waitMs('a')).toBe(0)
      expect(await offenders.failed('a')).toBe(true)
    }
    expect(offenders.waitMs('a')).toBeGreaterThan(WINDOW_MS / 2)
    expect(offenders.waitMs('b')).toBe(0)
    expect(await offenders.failed('a')).toBe(false)
    budget.pass(WINDOW_MS + 1)
    expect(offenders.waitMs('a')).toBe(0)
    expect(offenders.size).toBe(0)
  })

  it('are heard of by another edge when they fail there', async () => {
    const budget = budgetOf(2)
    const [here, there] = [budget.offenders(), budget.offenders()]
    await here.failed('a')
    await here.failed('a')
    expect(here.waitMs('a')).toBeGreaterThan(0)
    expect(there.waitMs('a')).toBe(0)
    expect(await there.failed('a')).toBe(false)
    expect(there.waitMs('a')).toBeGreaterThan(0)
  })

  it('are remembered up to a number, the latest of them', async () => {
    const budget = budgetOf(1)
    const offenders = budget.offenders()
    for (let i = 0; i < 10_100; i++) await offenders.failed(`address-${i}`)
    expect(offenders.size).toBe(10_000)
    expect(offenders.waitMs('address-10099')).toBeGreaterThan(0)
    expect(offenders.waitMs('address-0')).toBe(0)
  })
})
