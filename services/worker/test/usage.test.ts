import { describe, expect, it } from 'vitest'
import { usageTally } from '../src/usage.ts'

const estimated = { inputTokens: 100, outputTokens: 50 }

describe('usage', () => {
  it('is what the provider told, where the answer came to its end', () => {
    const tally = usageTally()
    tally.add({ inputTokens: 11, outputTokens: 7 }, estimated, true)
    expect(tally.total()).toEqual({ inputTokens: 11, outputTokens: 7, estimated: false })
  })

  it('is an estimate, marked as one, for whatever was not told', () => {
    const tally = usageTally()
    tally.add({ outputTokens: 7 }, estimated, true)
    expect(tally.total()).toEqual({ inputTokens: 100, outputTokens: 7, estimated: true })
  })

  it('does not take an early count of a stream that was cut for the last word', () => {
    const tally = usageTally()
    tally.add({ inputTokens: 11, outputTokens: 1 }, estimated, false)
    expect(tally.total()).toEqual({ inputTokens: 11, outputTokens: 50, estimated: true })
  })

  it('adds up over all requests of an answer', () => {
    const tally = usageTally()
    tally.add({}, estimated, false)
    tally.add({ inputTokens: 1, outputTokens: 2 }, estimated, true)
    expect(tally.total()).toEqual({ inputTokens: 101, outputTokens: 52, estimated: true })
  })

  it('does not believe what no answer can have taken, so that sums stay exact', () => {
    const tally = usageTally()
    tally.add({ inputTokens: 2e9, outputTokens: Number.MAX_SAFE_INTEGER }, estimated, true, { in: 1, out: 1 })
    expect(tally.total()).toEqual({ inputTokens: 100, outputTokens: 50, estimated: true, cost: 150 })
  })

  it('costs what each model that was asked costs, in whole millionths of a dollar', () => {
    const tally = usageTally()
    tally.add({ inputTokens: 1_000, outputTokens: 200 }, estimated, true, { in: 0.4, out: 1.6 })
    expect(tally.total()).toMatchObject({ cost: 720, estimated: false })
    tally.add({ inputTokens: 7, outputTokens: 1 }, estimated, true, { in: 0.05, out: 0.4 })
    expect(tally.total()).toMatchObject({ cost: 721 })
    // Of a model without a price nobody knows.
    tally.add({ inputTokens: 7, outputTokens: 1 }, estimated, true)
    expect(tally.total()).toMatchObject({ inputTokens: 1_014, cost: 721 })
  })

  it('has no cost where nothing has a price, and one of nothing where that is the price', () => {
    const [unpriced, free] = [usageTally(), usageTally()]
    unpriced.add({}, estimated, false)
    free.add({}, estimated, false, { in: 0, out: 0 })
    expect([unpriced.total(), free.total()]).toEqual([
      { inputTokens: 100, outputTokens: 50, estimated: true },
      { inputTokens: 100, outputTokens: 50, estimated: true, cost: 0 },
    ])
  })

  it('is nothing while nothing was asked', () => {
    expect(usageTally().total()).toBeUndefined()
  })
})
