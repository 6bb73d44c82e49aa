import { ProviderFault } from '@chatbox/worker'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultWorkerBounds, defaultWorkerTimes } from '../src/deps.ts'
import { planRetry } from '../src/retries.ts'
import { house, isDone, says } from './support/house.ts'

const overloaded = (retryAfterMs?: number) =>
  new ProviderFault('provider_overloaded', 'busy', {
    retryable: true,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })

describe('a provider that fails before the first token', () => {
  it('is asked again in the same attempt, and nobody sees anything of it', async () => {
    const { ask, worker, provider, ended, device } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    ;(await provider.call(0)).fail(overloaded())
    ;(await provider.call(1)).stop()
    const third = await provider.call(2)
    third.say('At last')
    third.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'At last', attempt: 1, faults: 0 })
    await screen.frame(isDone)
    expect(screen.frames.some(({ type }) => type === 'answer.reset')).toBe(false)
  })

  it('is not asked more than three times', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker()
    const asked = await ask()
    for (let i = 0; i < 3; i++) (await provider.call(i)).fail(overloaded())
    const answer = await ended(asked)
    expect(answer).toMatchObject({ status: 'failed', error: 'provider_overloaded', text: '' })
    // Nobody charges for having refused.
    expect(answer.usage).toBeUndefined()
    expect(provider.calls).toHaveLength(3)
  })

  it('is not asked again when that is not worth it', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker()
    const asked = await ask()
    ;(await provider.call(0)).fail(new ProviderFault('provider_rejected', 'no'))
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'provider_rejected' })
    expect(provider.calls).toHaveLength(1)
  })

  it('is given the time that it asked for', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker({ times: { retryMs: 1, maxRetryMs: 1 } })
    const asked = await ask()
    const first = await provider.call(0)
    first.fail(overloaded(150))
    await first.closed
    const begun = performance.now()
    const second = await provider.call(1)
    expect(performance.now() - begun).toBeGreaterThan(120)
    second.say('thanks')
    second.end()
    expect((await ended(asked)).status).toBe('done')
  })

  it('fails at once when it asks for more time than there is', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker({ times: { totalMs: 2_000 } })
    const asked = await ask()
    ;(await provider.call(0)).fail(overloaded(60_000))
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'provider_overloaded' })
    expect(provider.calls).toHaveLength(1)
  })
})

describe('a provider that fails after the first token', () => {
  it('makes the answer begin again under a higher attempt, with a reset (P6)', async () => {
    const { ask, worker, provider, ended, device } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const first = await provider.call(0)
    first.say('a false start')
    await screen.frame(says('false start'))
    first.fail(new ProviderFault('provider_error', 'cut', { retryable: true }))
    const second = await provider.call(1)
    await screen.frame((frame) => frame.type === 'answer.reset' && frame.attempt === 2)
    second.say('the real one')
    second.usage(10, 3)
    second.end()

    const answer = await ended(asked)
    expect(answer).toMatchObject({ status: 'done', text: 'the real one', attempt: 2, faults: 1 })
    // Both requests are counted, and one of them had to be estimated (L5).
    expect(answer.usage).toMatchObject({ estimated: true })
    expect(answer.usage?.outputTokens).toBeGreaterThan(3)
    await screen.frame(isDone)
    expect(screen.text).toBe('the real one')
  })

  it('fails the answer the second time, and what was said last is kept', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker()
    const asked = await ask()
    for (let i = 0; i < 2; i++) {
      const call = await provider.call(i)
      call.say(`try ${i}`)
      call.fail(new ProviderFault('provider_error', 'cut', { retryable: true }))
    }
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'provider_error', text: 'try 1', attempt: 2 })
    expect(provider.calls).toHaveLength(2)
  })

  it('and whose stream ends without an end mark is no provider that is done (P7)', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker({ bounds: { triesAfterText: 1 } })
    const asked = await ask()
    const call = await provider.call(0)
    call.say('it looks complete.')
    call.stop()
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'provider_error', text: 'it looks complete.' })
  })

  it('or withholds the rest, fails the answer as rejected', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker()
    const asked = await ask()
    const call = await provider.call(0)
    call.say('up to here')
    call.end('filtered')
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'provider_rejected', text: 'up to here' })
  })
})

describe('an adapter that throws what it should not', () => {
  it('fails the answer, says so in the log, and is not asked again', async () => {
    const { ask, worker, provider, ended, logLines } = await house()
    await worker()
    const asked = await ask()
    ;(await provider.call(0)).fail(new TypeError('undefined is not a stream'))
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'provider_error' })
    expect(provider.calls).toHaveLength(1)
    const [told] = logLines.filter((line) => line.includes('undefined is not a stream'))
    expect(JSON.parse(told ?? '{}')).toMatchObject({ level: 'error', err: { stack: expect.stringContaining('at ') } })
  })
})

describe('a fault that a provider names', () => {
  it('is one line in the log, which says what and why and has no stack', async () => {
    const { ask, worker, provider, ended, logLines } = await house()
    await worker()
    const asked = await ask()
    const cause = Object.assign(new Error('a network of ours'), { code: 'ECONNRESET' })
    ;(await provider.call(0)).fail(new ProviderFault('provider_error', 'the line was cut', { cause }))
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'provider_error' })
    const told = logLines.filter((line) => line.includes('the line was cut'))
    expect(told).toHaveLength(1)
    expect(JSON.parse(told[0] ?? '{}')).toMatchObject({
      level: 'warn',
      code: 'provider_error',
      why: 'the line was cut',
      causes: ['Error ECONNRESET'],
      plan: 'fail',
    })
    expect(told[0]).not.toContain('stack')
  })
})

describe('a model that is not configured any more', () => {
  it('fails the answer visibly', async () => {
    const { ask, worker, ended, models } = await house()
    const asked = await ask()
    models.clear()
    await worker()
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'not_supported', text: '' })
  })
})

describe('the plan after a fault', () => {
  const failed = fc.record({
    tries: fc.integer({ min: 1, max: 10 }),
    spoke: fc.boolean(),
    faults: fc.integer({ min: 0, max: 10 }),
    remainingMs: fc.integer({ min: -1_000, max: 600_000 }),
  })
  const fault = fc.record({ retryable: fc.boolean(), retryAfterMs: fc.option(fc.nat(120_000), { nil: undefined }) })

  it('never asks for nothing, too often, too early or too late', () => {
    fc.assert(
      fc.property(fault, failed, fc.double({ min: 0, max: 0.999, noNaN: true }), (why, when, random) => {
        const plan = planRetry(why, when, defaultWorkerTimes, defaultWorkerBounds, () => random)
        const left = when.spoke ? when.faults === 0 : when.tries < 3
        if (plan.kind === 'fail') {
          const shortest = Math.max(why.retryAfterMs ?? 0, 500)
          return (
            !why.retryable || !left || when.remainingMs <= Math.max(shortest, 1_000 * 2 ** (when.tries - 1), 30_000)
          )
        }
        const longest = Math.max(why.retryAfterMs ?? 0, Math.min(30_000, 1_000 * 2 ** (when.tries - 1)))
        return (
          why.retryable &&
          left &&
          plan.kind === (when.spoke ? 'new-attempt' : 'ask-again') &&
          plan.waitMs >= (why.retryAfterMs ?? 0) &&
          plan.waitMs >= 500 &&
          plan.waitMs <= longest &&
          plan.waitMs < when.remainingMs
        )
      }),
      { numRuns: 1_000 },
    )
  })
})
