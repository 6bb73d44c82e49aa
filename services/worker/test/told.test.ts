import { randomUUID } from 'node:crypto'
import { beginEvent, deltaEvent, sessionId, userId } from '@chatbox/core'
import { ProviderFault } from '@chatbox/worker'
import { describe, expect, it } from 'vitest'
import { house, isDone, says } from './support/house.ts'

/** A house whose model has a price. */
async function priced() {
  const home = await house()
  const model = home.models.get('model')
  if (!model) throw new Error('no model')
  home.models.set('model', { ...model, price: { in: 2, out: 10 } })
  return home
}

describe('what an answer cost is told however it ended (L5)', () => {
  it('of one that is done, as the provider counted', async () => {
    const { ask, worker, provider, ended } = await priced()
    await worker()
    const asked = await ask()
    const call = await provider.call(0)
    call.say('all of it')
    call.usage(100, 7)
    call.end()
    expect((await ended(asked)).usage).toEqual({ inputTokens: 100, outputTokens: 7, estimated: false, cost: 270 })
  })

  it('of one that was cancelled, as an estimate', async () => {
    const { ask, worker, provider, ended, fabric, device } = await priced()
    await worker()
    const asked = await ask()
    const screen = await device(asked.uid)
    const call = await provider.call(0)
    call.usage(100, 1)
    call.say('half an answer')
    await screen.frame(says('half'))
    await fabric.answers.cancel(asked)
    const { status, usage } = await ended(asked)
    expect([status, usage?.inputTokens, usage?.estimated]).toEqual(['cancelled', 100, true])
    expect(usage?.outputTokens).toBeGreaterThan(1)
    expect(usage?.cost).toBe(200 + 10 * (usage?.outputTokens ?? 0))
  })

  it('of one that failed while it spoke, over all its requests', async () => {
    const { ask, worker, provider, ended } = await priced()
    await worker()
    const asked = await ask()
    for (let i = 0; i < 2; i++) {
      const call = await provider.call(i)
      call.usage(100)
      call.say('half')
      call.fail(new ProviderFault('provider_error', 'cut', { retryable: true }))
    }
    const { status, usage } = await ended(asked)
    expect([status, usage?.inputTokens, usage?.estimated]).toEqual(['failed', 200, true])
    expect(usage?.cost).toBe(400 + 10 * (usage?.outputTokens ?? 0))
  })

  it('of one that the provider withheld, and nothing where it refused at once and said no number', async () => {
    const { ask, worker, provider, ended } = await priced()
    await worker()
    const [withheld, counted, refused] = [await ask(), await ask(), await ask()]
    const first = await provider.call(0)
    first.usage(100, 3)
    first.end('filtered')
    const second = await provider.call(1)
    second.usage(50, 0)
    second.fail(new ProviderFault('provider_rejected', 'no'))
    ;(await provider.call(2)).fail(new ProviderFault('provider_rejected', 'no'))
    const rejected = { status: 'failed', error: 'provider_rejected' }
    expect(await ended(withheld)).toMatchObject({ ...rejected, usage: { estimated: false, cost: 230 } })
    expect(await ended(counted)).toMatchObject({ ...rejected, usage: { inputTokens: 50, cost: 100 } })
    expect((await ended(refused)).usage).toBeUndefined()
  })

  it('of one whose workers have died, for what was shown of it', async () => {
    const { ask, worker, ended, conversations, fabric } = await priced()
    const asked = await ask('a question', { queue: false })
    const { sid, answerId } = asked
    for (let from = 0; from < 3; from++) await conversations.beginAttempt(sid, answerId, from, 'fresh')
    await fabric.answers.begin(asked, 3, 0, beginEvent(asked, 3, 'model'))
    await fabric.answers.append([
      { ref: asked, attempt: 3, index: 0, chunk: deltaEvent(asked, 3, 0, 'half an answer of some words') },
    ])
    await worker()
    await fabric.jobs.enqueue({ sid, answerId, n: 0 })
    const { error, usage } = await ended(asked)
    expect([error, usage?.inputTokens, usage?.estimated]).toEqual(['answer_lost', 0, true])
    expect(usage?.outputTokens).toBeGreaterThan(5)
    expect(usage?.cost).toBe(10 * (usage?.outputTokens ?? 0))
  })
})

describe('what a user is to know of an answer', () => {
  /** A session with a history that is longer than the model reads. */
  async function longTalk() {
    const home = await priced()
    const model = home.models.get('model')
    if (model) home.models.set('model', { ...model, contextTokens: 60 })
    await home.worker()
    const here = { sid: sessionId(randomUUID()), uid: userId(randomUUID()) }
    const answered = async (question: string, i: number) => {
      const asked = await home.ask(question, here)
      const call = await home.provider.call(i)
      call.say('So it is.')
      call.end()
      return home.ended(asked)
    }
    return { ...home, here, answered }
  }
  const LONG = 'a question that goes on and on, and on, for as long as nobody tells it to come to its end, '.repeat(2)

  it('is that older messages were left out: with the end, and as it is stored', async () => {
    const { answered, device, here, provider } = await longTalk()
    expect((await answered(LONG, 0)).notices).toBeUndefined()
    const screen = await device(here.uid)
    expect((await answered('And then?', 1)).notices).toEqual(['context_trimmed'])
    expect((await provider.call(1)).request.messages).toHaveLength(1)
    expect(await screen.frame(isDone)).toMatchObject({ notices: ['context_trimmed'] })
  })

  it('is told of an answer that failed as well', async () => {
    const { answered, ask, here, provider, ended } = await longTalk()
    await answered(LONG, 0)
    const asked = await ask('And then?', here)
    ;(await provider.call(1)).fail(new ProviderFault('provider_rejected', 'no'))
    expect(await ended(asked)).toMatchObject({ status: 'failed', notices: ['context_trimmed'] })
  })
})
