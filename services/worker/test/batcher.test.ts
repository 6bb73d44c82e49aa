import {
  type Answers,
  answerId,
  type ChunkAppend,
  type ChunkOutcome,
  sessionId,
  textOf,
  Unavailable,
  userId,
} from '@chatbox/core'
import { createLogger, createMetrics } from '@chatbox/runtime'
import { workerMetrics } from '@chatbox/worker'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deltaBatcher } from '../src/delta-batcher.ts'
import { createDraft } from '../src/draft.ts'
import { spokenText } from '../src/spoken.ts'

/** A batcher over a store that takes `tookMs` for each call, on a clock that the test turns. */
function batching(tookMs: () => number, outcomeOf: (chunk: ChunkAppend) => ChunkOutcome = () => 'accepted') {
  const merges: { readonly from: number; readonly upTo: number }[] = []
  const mergeOutcomes: (boolean | Error)[] = []
  const calls: { readonly at: number; readonly chunks: readonly ChunkAppend[] }[] = []
  const answers: Pick<Answers, 'append' | 'merge'> = {
    append: (chunks) => {
      calls.push({ at: performance.now(), chunks })
      return new Promise((resolve) => setTimeout(() => resolve(chunks.map(outcomeOf)), tookMs()))
    },
    async merge(_ref, _attempt, from, upTo) {
      merges.push({ from, upTo })
      const outcome = mergeOutcomes.shift() ?? true
      if (outcome instanceof Error) throw outcome
      return outcome
    },
  }
  const batcher = deltaBatcher({
    answers,
    times: { tickMs: 30, maxTickMs: 250, awayMs: 60_000 },
    log: createLogger({ service: 'test', level: 'fatal' }),
    metrics: workerMetrics(createMetrics()),
  })
  const answer = (name: string) => {
    const spoken = spokenText(100_000)
    const ref = { uid: userId(name), sid: sessionId(name), answerId: answerId(name), seq: 2 }
    const draft = createDraft(ref, 1, spoken)
    const refusals: string[] = []
    const carried = batcher.carry(draft, { accepted: () => undefined, refused: (why) => refusals.push(why) })
    return {
      draft,
      refusals,
      say(text: string) {
        spoken.add(text)
        carried.more()
      },
      drop: carried.drop,
    }
  }
  return { calls, merges, mergeOutcomes, answer, stop: batcher.stop }
}

describe('the tick', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('sends a first token at once and the rest every 30 ms, all answers in one call', async () => {
    const { calls, answer } = batching(() => 1)
    const [a, b] = [answer('a'), answer('b')]
    a.say('a0')
    b.say('b0')
    await vi.advanceTimersByTimeAsync(2)
    expect(calls.map(({ chunks }) => textOf(chunks.map(({ chunk }) => chunk)))).toEqual(['a0b0'])
    for (let ms = 0; ms < 300; ms += 5) {
      a.say('.')
      b.say('.')
      await vi.advanceTimersByTimeAsync(5)
    }
    expect(calls.length).toBeGreaterThanOrEqual(9)
    expect(calls.length).toBeLessThanOrEqual(13)
    expect(calls.slice(2).every(({ chunks }) => chunks.length === 2)).toBe(true)
  })

  it('is not waited for by a first token', async () => {
    const { calls, answer } = batching(() => 1)
    const [a, b] = [answer('a'), answer('b')]
    a.say('a0')
    await vi.advanceTimersByTimeAsync(2)
    a.say('a1')
    await vi.advanceTimersByTimeAsync(2)
    const ticked = calls.length
    a.say('a2')
    b.say('b0')
    await vi.advanceTimersByTimeAsync(2)
    expect(calls.slice(ticked).map(({ chunks }) => textOf(chunks.map(({ chunk }) => chunk)))).toEqual(['b0'])
  })

  it('widens while the store is slow, up to its bound, and narrows again', async () => {
    let took = 200
    const { calls, answer } = batching(() => took)
    const a = answer('a')
    const speak = async (ms: number) => {
      const before = calls.length
      for (let passed = 0; passed < ms; passed += 10) {
        a.say('.')
        await vi.advanceTimersByTimeAsync(10)
      }
      return calls.length - before
    }
    await speak(1_000)
    expect(await speak(2_000)).toBeLessThanOrEqual(11)
    took = 1
    await speak(1_000)
    expect(await speak(900)).toBeGreaterThanOrEqual(25)
  })

  it('brings answers together that were apart when the store was slow', async () => {
    const { calls, answer } = batching(() => 150)
    const answers = Array.from({ length: 6 }, (_, i) => answer(`answer ${i}`))
    for (const [i, one] of answers.entries()) {
      one.say('first')
      await vi.advanceTimersByTimeAsync(20 + i)
    }
    const before = calls.length
    for (let ms = 0; ms < 3_000; ms += 10) {
      for (const one of answers) one.say('.')
      await vi.advanceTimersByTimeAsync(10)
    }
    // Each on its own beat would make a hundred.
    expect(calls.length - before).toBeLessThanOrEqual(45)
  })

  it('does not run when nothing is said', async () => {
    const { calls, answer } = batching(() => 1)
    answer('a').say('only this')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(calls).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('never has two calls under way for one answer', async () => {
    const { calls, answer } = batching(() => 100)
    const [a, b] = [answer('a'), answer('b')]
    a.say('a0')
    await vi.advanceTimersByTimeAsync(5)
    a.say('a1')
    b.say('b0')
    await vi.advanceTimersByTimeAsync(50)
    expect(calls.map(({ chunks }) => chunks.map(({ ref, index }) => `${ref.answerId}${index}`))).toEqual([
      ['a0'],
      ['b0'],
    ])
    await vi.advanceTimersByTimeAsync(500)
    expect(calls.at(-1)?.chunks.map(({ ref, index }) => `${ref.answerId}${index}`)).toEqual(['a1'])
    expect(a.draft.accepted).toBe('a0a1')
  })

  it('sends the same bytes again to the part of the store that is away, while other answers go on (R14)', async () => {
    let away = false
    const { calls, answer } = batching(
      () => 1,
      ({ ref }) => (away && ref.answerId === 'a' ? 'unknown' : 'accepted'),
    )
    const [a, b] = [answer('a'), answer('b')]
    a.say('a0')
    b.say('b0')
    await vi.advanceTimersByTimeAsync(50)
    away = true
    for (let i = 1; i <= 3; i += 1) {
      a.say(`a${i}`)
      b.say(`b${i}`)
      await vi.advanceTimersByTimeAsync(50)
    }
    const ofA = () => calls.flatMap(({ chunks }) => chunks.filter(({ ref }) => ref.answerId === 'a'))
    const again = ofA().slice(1)
    expect(again.length).toBeGreaterThan(2)
    expect(new Set(again.map(({ index }) => index))).toEqual(new Set([1]))
    expect(new Set(again.map(({ chunk }) => chunk))).toEqual(new Set([again[0]?.chunk]))
    expect([a.draft.accepted, b.draft.accepted]).toEqual(['a0', 'b0b1b2b3'])
    expect([a.refusals, b.refusals]).toEqual([[], []])
    away = false
    await vi.advanceTimersByTimeAsync(100)
    expect(a.draft.accepted).toBe('a0a1a2a3')
    expect(
      textOf(
        ofA()
          .slice(-1)
          .map(({ chunk }) => chunk),
      ),
    ).toBe('a2a3')
  })

  it('gives an answer up whose part of the store stays away, and no other', async () => {
    const { answer } = batching(
      () => 1,
      ({ ref }) => (ref.answerId === 'a' ? 'unknown' : 'accepted'),
    )
    const [a, b] = [answer('a'), answer('b')]
    a.say('a0')
    for (let s = 0; s < 70; s += 1) {
      b.say('.')
      await vi.advanceTimersByTimeAsync(1_000)
      if (s === 55) expect(a.refusals).toEqual([])
    }
    expect([a.refusals, b.refusals]).toEqual([['away'], []])
    expect(b.draft.accepted).toHaveLength(70)
  })

  it('forgets a draft that was dropped', async () => {
    const { calls, answer } = batching(() => 1)
    const a = answer('a')
    a.say('said')
    a.drop()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(calls).toEqual([])
  })

  it('merges each piece of a text once; again what may not have arrived, and nothing more after a refusal (R14)', async () => {
    const { merges, mergeOutcomes, answer } = batching(() => 1)
    const [a, b] = [answer('a'), answer('b')]
    mergeOutcomes.push(new Unavailable('away'))
    const say = async (who: typeof a, kib: number) => {
      for (let i = 0; i < kib; i += 1) {
        who.say('x'.repeat(1_024))
        await vi.advanceTimersByTimeAsync(40)
      }
    }
    await say(a, 4)
    expect(merges).toEqual([{ from: 0, upTo: 4 }])
    await say(a, 5)
    expect(merges.slice(1)).toEqual([
      { from: 0, upTo: 4 },
      { from: 4, upTo: 8 },
    ])
    mergeOutcomes.push(false)
    await say(b, 12)
    expect(merges.slice(3)).toEqual([{ from: 0, upTo: 4 }])
  })
})
