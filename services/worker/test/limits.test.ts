import { describe, expect, it } from 'vitest'
import { house } from './support/house.ts'

const LONG = 3_600_000

describe('a time limit (L1)', () => {
  it('for the first token ends the request and the answer', async () => {
    const { ask, worker, provider, ended, logLines } = await house()
    await worker({ times: { firstTokenMs: 40, idleMs: LONG, totalMs: LONG } })
    const asked = await ask()
    const call = await provider.call(0)
    call.usage(7)
    call.say('')
    await call.closed
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'provider_timeout', text: '' })
    expect(provider.calls).toHaveLength(1)
    expect(logLines.join('')).toContain('the first token took too long')
  })

  it('between tokens ends them, and keeps what was said', async () => {
    const { ask, worker, provider, ended, logLines } = await house()
    await worker({ times: { firstTokenMs: LONG, idleMs: 40, totalMs: LONG } })
    const asked = await ask()
    const call = await provider.call(0)
    call.say('so far')
    await call.closed
    const answer = await ended(asked)
    expect(answer).toMatchObject({ status: 'failed', error: 'provider_timeout', text: 'so far' })
    expect(answer.usage?.outputTokens).toBeGreaterThan(0)
    expect(logLines.join('')).toContain('the next token took too long')
  })

  it('in total ends an answer that never stops talking', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker({ times: { firstTokenMs: LONG, idleMs: LONG, totalMs: 120 } })
    const asked = await ask()
    const call = await provider.call(0)
    const talking = setInterval(() => call.say('and '), 5)
    await call.closed
    clearInterval(talking)
    const answer = await ended(asked)
    expect(answer).toMatchObject({ status: 'failed', error: 'provider_timeout' })
    expect(answer.text).toContain('and and')
  })

  it('leaves no slot taken', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker({ times: { firstTokenMs: 40 }, bounds: { concurrency: 1 } })
    const first = await ask()
    const second = await ask()
    expect((await ended(first)).error).toBe('provider_timeout')
    const call = await provider.call(1)
    call.say('now')
    call.end()
    expect((await ended(second)).status).toBe('done')
  })
})

describe('concurrency', () => {
  it('is never more than was asked for', async () => {
    const { ask, worker, provider, ended } = await house()
    await worker({ bounds: { concurrency: 3 } })
    const asked = await Promise.all(Array.from({ length: 12 }, () => ask()))
    let most = 0
    for (let i = 0; i < asked.length; i++) {
      const call = await provider.call(i)
      most = Math.max(most, provider.calls.filter(({ signal }) => !signal.aborted).length)
      call.say(String(i))
      call.end()
    }
    const ends = await Promise.all(asked.map((one) => ended(one)))
    expect(ends.every(({ status }) => status === 'done')).toBe(true)
    expect(most).toBeLessThanOrEqual(3)
  })
})
