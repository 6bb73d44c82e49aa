import { defaultAnswerLimits } from '@chatbox/core'
import { ProviderFault } from '@chatbox/worker'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultWorkerBounds, defaultWorkerTimes } from '../src/deps.ts'
import { type FailedTry, planRetry, type RetryPlan } from '../src/retries.ts'
import { type House, house } from './support/house.ts'

type Why = Pick<ProviderFault, 'retryable' | 'retryAfterMs'>
type Times = Parameters<typeof planRetry>[2]
type Bounds = Parameters<typeof planRetry>[3]

describe('One plan after a fault', () => {
  const times = fc
    .tuple(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 120_000 }))
    .map(([a, b]): Times => ({ retryMs: Math.min(a, b), maxRetryMs: Math.max(a, b) }))
  const bounds = fc.record({ tries: fc.integer({ min: 1, max: 6 }), triesAfterText: fc.integer({ min: 1, max: 4 }) })
  const failed = fc.record({
    tries: fc.integer({ min: 1, max: 70 }),
    spoke: fc.boolean(),
    faults: fc.nat(5),
    remainingMs: fc.integer({ min: -1_000, max: 200_000 }),
  })
  const why = fc.record({ retryable: fc.boolean(), retryAfterMs: fc.option(fc.nat(150_000), { nil: undefined }) })
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

  it('is the one that the rules give (L2)', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(why, failed, times, bounds, random, (why, failed, times, bounds, random) => {
        const plan = planRetry(why, failed, times, bounds, () => random)
        const expected = modelPlan(why, failed, times, bounds, random)
        seen.add(plan.kind)
        expect(plan.kind).toBe(expected.kind)
        if (plan.kind !== 'fail' && expected.kind !== 'fail') expect(plan.waitMs).toBeCloseTo(expected.waitMs, 6)
      }),
      { numRuns: 5_000 },
    )
    expect([...seen].sort()).toEqual(['ask-again', 'fail', 'new-attempt'])
  })

  it('waits between half of one second and thirty, unless the provider asks for more', () => {
    const within = fc.property(fc.integer({ min: 1, max: 2_000 }), random, (tries, random) => {
      const when = { tries, spoke: false, faults: 0, remainingMs: 100_000 }
      const plan = planRetry(
        { retryable: true, retryAfterMs: undefined },
        when,
        defaultWorkerTimes,
        ENDLESS,
        () => random,
      )
      expect(plan).toMatchObject({ kind: 'ask-again' })
      if (plan.kind === 'fail') return
      expect(plan.waitMs).toBeGreaterThanOrEqual(500)
      expect(plan.waitMs).toBeLessThanOrEqual(30_000)
    })
    fc.assert(within, { numRuns: 1_000 })
  })
})

const ENDLESS: Bounds = { tries: Number.POSITIVE_INFINITY, triesAfterText: Number.POSITIVE_INFINITY }

/** L2 in other words: who may be asked again, and after what wait; but nobody whose time is over by then. */
function modelPlan(why: Why, failed: FailedTry, times: Times, bounds: Bounds, random: number): RetryPlan {
  const left = failed.spoke ? bounds.triesAfterText - (failed.faults + 1) : bounds.tries - failed.tries
  let longest = times.retryMs
  for (let i = 1; i < failed.tries && longest < times.maxRetryMs; i += 1) longest += longest
  longest = Math.min(longest, times.maxRetryMs)
  // Chance takes up to half of it away.
  const waitMs = Math.max(longest - (longest / 2) * (1 - random), why.retryAfterMs ?? 0)
  if (!why.retryable || left <= 0 || waitMs >= failed.remainingMs) return { kind: 'fail' }
  return { kind: failed.spoke ? 'new-attempt' : 'ask-again', waitMs }
}

/** What one request of an answer meets. */
type Meets =
  | { readonly kind: 'fault'; readonly spoke: boolean; readonly retryable: boolean }
  /** The worker is stopped for good, and another one is started. */
  | { readonly kind: 'restart'; readonly spoke: boolean }

interface Life {
  /** Workers that died with the answer in their hands before the rest happened. */
  readonly crashes: number
  /** One a request; those that come later are answered. */
  readonly requests: readonly Meets[]
}

/** What is stored in the end, and how often the provider was asked. */
interface Outcome {
  readonly status: 'done' | 'failed'
  readonly error: string | undefined
  readonly attempt: number
  readonly faults: number
  readonly handbacks: number
  readonly asked: number
}

describe('The life of an answer', () => {
  const spoke = fc.boolean()
  const meets: fc.Arbitrary<Meets> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('fault' as const), spoke, retryable: fc.constant(true) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('fault' as const), spoke, retryable: fc.constant(false) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('restart' as const), spoke }) },
  )
  const life: fc.Arbitrary<Life> = fc.record({
    crashes: fc.nat(defaultAnswerLimits.maxCrashes + 1),
    requests: fc.array(meets, { maxLength: 8 }),
  })
  const refused: Meets = { kind: 'fault', spoke: false, retryable: true }
  const broken: Meets = { kind: 'fault', spoke: true, retryable: true }
  const restart: Meets = { kind: 'restart', spoke: true }

  it('ends as the rules say, whatever its providers and workers do (L2, R13)', { timeout: 120_000 }, async () => {
    const it = await house()
    await fc.assert(
      fc.asyncProperty(life, async (life) => {
        expect(await live(it, life)).toEqual(modelLife(life))
      }),
      {
        numRuns: 60,
        examples: [
          [{ crashes: 0, requests: [refused, refused, refused] }],
          [{ crashes: 0, requests: [refused, refused, broken, refused, refused, broken] }],
          [{ crashes: 0, requests: [broken, restart, broken] }],
          [{ crashes: defaultAnswerLimits.maxCrashes - 1, requests: [broken, refused, refused] }],
          [{ crashes: defaultAnswerLimits.maxCrashes, requests: [] }],
          [{ crashes: 0, requests: Array.from({ length: 12 }, () => restart) }],
        ],
      },
    )
  })
})

/**
 * R13: a provider's faults are counted over all attempts once there was text, and within one attempt before it; crashes have a limit of
 * their own; a planned restart counts for nothing, and the requests of the attempt that it ended are forgotten.
 */
function modelLife({ crashes, requests }: Life): Outcome {
  const { tries, triesAfterText } = defaultWorkerBounds
  let [attempt, faults, handbacks, asked, inAttempt] = [crashes + 1, 0, 0, 0, 0]
  const end = (error?: string): Outcome => ({
    status: error === undefined ? 'done' : 'failed',
    error,
    attempt,
    faults,
    handbacks,
    asked,
  })
  const nextAttempt = () => {
    attempt += 1
    inAttempt = 0
  }
  if (crashes >= defaultAnswerLimits.maxCrashes) return end('answer_lost')
  for (const met of requests) {
    asked += 1
    inAttempt += 1
    if (met.kind === 'restart') {
      handbacks += 1
      nextAttempt()
    } else if (!met.retryable) return end('provider_rejected')
    else if (met.spoke) {
      if (faults + 1 === triesAfterText) return end('provider_overloaded')
      faults += 1
      nextAttempt()
    } else if (inAttempt === tries) return end('provider_overloaded')
  }
  asked += 1
  return end()
}

const never = () => new AbortController().signal

/** The same life, lived by workers. */
async function live(it: House, { crashes, requests }: Life): Promise<Outcome> {
  const start = () => it.worker({ times: { retryMs: 1, maxRetryMs: 2, finishMs: 1 } })
  const askedBefore = it.provider.calls.length
  const asked = await it.ask('a question', { queue: false })
  const { sid, answerId, turn } = asked
  for (let n = 0; n < crashes; n += 1) await it.conversations.beginAttempt(sid, answerId, n, 'fresh')
  let worker = await start()
  await it.fabric.jobs.enqueue({ sid, answerId, n: turn.answer?.n ?? 0 })
  let over = false
  const ended = it.ended(asked).then((answer) => {
    over = true
    return answer
  })

  const play = async () => {
    for (const [i, met] of [...requests, undefined].entries()) {
      const call = await it.provider.call(askedBefore + i)
      // The rules allowed no more requests; this one is another life's.
      if (over) return
      if (!met || met.spoke) call.say('So far')
      if (!met) call.end()
      else if (met.kind === 'restart') {
        await worker.stop(never())
        worker = await start()
      } else if (met.retryable) call.fail(new ProviderFault('provider_overloaded', 'busy', { retryable: true }))
      else call.fail(new ProviderFault('provider_rejected', 'no'))
    }
  }
  const [answer] = await Promise.all([ended, Promise.race([ended, play()])])
  await worker.stop(never())
  const { status, error, attempt, faults, handbacks } = answer
  if (status !== 'done' && status !== 'failed') throw new Error(`it is ${status}`)
  return { status, error, attempt, faults, handbacks, asked: it.provider.calls.length - askedBefore }
}
