import { textOf } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { house, isDone, says } from './support/house.ts'

describe('an answer', () => {
  it('is started, streamed and ended, and the stored text is what devices saw (P7)', async () => {
    const { ask, worker, provider, ended, device } = await house()
    await worker()
    const asked = await ask('Why is the sky blue?')
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('Because', ' of', ' scattering.')
    call.usage(12, 34)
    call.end()

    const answer = await ended(asked)
    await screen.frame(isDone)
    expect(answer).toMatchObject({
      status: 'done',
      text: 'Because of scattering.',
      attempt: 1,
      usage: { inputTokens: 12, outputTokens: 34, estimated: false },
    })
    expect(screen.text).toBe('Because of scattering.')
    expect(screen.frames.map(({ type }) => type)).toEqual(expect.arrayContaining(['answer.started', 'answer.done']))
    expect(call.request.messages).toEqual([{ role: 'user', text: 'Why is the sky blue?' }])
    expect(call.signal.aborted).toBe(true)
  })

  it('shows its first token before the next one comes', async () => {
    const { ask, worker, provider, device, answers } = await house()
    await worker({ times: { tickMs: 600_000 } })
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('At once')
    await screen.frame(says('At once'))
    expect(answers.appends).toHaveLength(1)
  })

  it('sends many tokens in few calls, in order', async () => {
    const { ask, worker, provider, ended, answers } = await house()
    await worker({ times: { tickMs: 20 } })
    const asked = await ask()
    const call = await provider.call(0)
    const tokens = Array.from({ length: 2_000 }, (_, i) => `${i} `)
    for (const token of tokens) call.say(token)
    call.end()
    expect((await ended(asked)).text).toBe(tokens.join(''))
    expect(answers.appends.length).toBeLessThan(40)
    expect(textOf(answers.appends.flat().map(({ chunk }) => chunk))).toBe(tokens.join(''))
  })

  it('of many sessions shares calls with the others (R15)', async () => {
    const { ask, worker, provider, ended, answers } = await house()
    await worker({ times: { tickMs: 25 } })
    const asked = await Promise.all(Array.from({ length: 12 }, () => ask()))
    const calls = await Promise.all(asked.map((_, i) => provider.call(i)))
    for (let token = 0; token < 40; token++) {
      for (const call of calls) call.say(`${token} `)
      await new Promise(setImmediate)
    }
    for (const call of calls) call.end()
    const texts = await Promise.all(asked.map(async (one) => (await ended(one)).text))
    expect(new Set(texts)).toEqual(new Set([Array.from({ length: 40 }, (_, i) => `${i} `).join('')]))
    const most = Math.max(...answers.appends.map((chunks) => new Set(chunks.map(({ ref }) => ref.answerId)).size))
    expect(most).toBeGreaterThan(6)
    expect(answers.appends.length).toBeLessThan(100)
  })
})
