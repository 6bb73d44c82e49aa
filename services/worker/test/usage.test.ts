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

  it('is nothing while nothing was asked', () => {
    expect(usageTally().total()).toBeUndefined()
  })
})
