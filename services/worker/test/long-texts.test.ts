import { MAX_ANSWER_BYTES, textOf } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { house, isDone, says } from './support/house.ts'

describe('a text that is too long', () => {
  it('ends as failed, with what there is room for (R14)', async () => {
    const { ask, worker, provider, ended, device } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    const block = 'é'.repeat(2_048)
    for (let i = 0; i < 80; i++) call.say(block)
    await call.closed
    const answer = await ended(asked)
    expect(answer).toMatchObject({ status: 'failed', error: 'provider_error' })
    const bytes = Buffer.byteLength(answer.text ?? '')
    expect(bytes).toBeLessThanOrEqual(MAX_ANSWER_BYTES)
    expect(bytes).toBeGreaterThan(MAX_ANSWER_BYTES * 0.8)
    await screen.frame(isDone)
    expect(screen.text).toBe(answer.text)
  })

  it('by our own bound alone is cut at it, and the provider is not listened to any more', async () => {
    const { ask, worker, provider, ended } = await house({ memory: { bounds: { answerBytes: 10_000_000 } } })
    await worker()
    const asked = await ask()
    const call = await provider.call(0)
    for (let i = 0; i < 70; i++) call.say('é'.repeat(2_000))
    await call.closed
    const answer = await ended(asked)
    expect(answer).toMatchObject({ status: 'failed', error: 'provider_error' })
    expect(Buffer.byteLength(answer.text ?? '')).toBe(MAX_ANSWER_BYTES)
  })

  it('by the store keeps exactly what it accepted', async () => {
    const { ask, worker, provider, ended, answers, device } = await house()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.say('accepted')
    await screen.frame(says('accepted'))
    answers.next.append.push(async (_, chunks) => chunks.map(() => 'full' as const))
    call.say(' refused')
    call.end()
    expect(await ended(asked)).toMatchObject({ status: 'failed', error: 'provider_error', text: 'accepted' })
  })

  it('is kept in few pieces: older chunks are merged, and the snapshot has the same text', async () => {
    const { ask, worker, provider, fabric, answers, device } = await house()
    await worker({ times: { tickMs: 1, maxTickMs: 1 } })
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    const said: string[] = []
    for (let i = 0; i < 400; i++) {
      said.push(`${i} of four hundred pieces. `)
      call.say(`${i} of four hundred pieces. `)
      if (i % 4 === 0) await screen.frame((frame) => frame.type === 'answer.delta' && frame.text.includes(`${i} of`))
    }
    await screen.frame(says('399 of'))
    const [open] = (await fabric.answers.snapshot(asked.uid)).open
    expect(textOf(open?.chunks ?? [])).toBe(said.join(''))
    expect(answers.merges.length).toBeGreaterThan(1)
    // Each segment begins where the one before it ends, so what is written for them grows with the text and no faster.
    expect(answers.merges.map(({ from }) => from)).toEqual([0, ...answers.merges.slice(0, -1).map(({ upTo }) => upTo)])
    for (const { bytes } of answers.merges) expect(bytes).toBeLessThan(9_000)
    expect(open?.chunks.length).toBeLessThan(answers.appends.flat().length - 50)
    call.end()
  })

  it('is not one that comes in the smallest pieces: they are merged before the store has too many of them', async () => {
    // As the store's own is for 13 times as many.
    const { ask, worker, provider, ended, device } = await house({ memory: { bounds: { answerBytes: 100_000 } } })
    await worker({ times: { tickMs: 1, maxTickMs: 1 } })
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    for (let i = 0; i < 800; i++) {
      call.say('x')
      await screen.frame((frame) => frame.type === 'answer.delta' && frame.index === i)
    }
    call.end()
    expect(await ended(asked)).toMatchObject({ status: 'done', text: 'x'.repeat(800) })
  })
})
