import { type FakeProvider, startFakeAnthropic, startFakeDify, startFakeOpenAI } from '@chatbox/testkit/providers'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, say, startSystem } from './system.ts'

afterEach(cleanUp)

const KEY = 'sk-canary-of-the-embedded-shape' // not a secret

describe('a key and an address in the environment are all that it takes', () => {
  it.each<[string, () => Promise<FakeProvider>, string, string, number?]>([
    ['OPENAI', startFakeOpenAI, '/v1', 'gpt-6-luna', 2],
    ['ANTHROPIC', startFakeAnthropic, '', 'claude-haiku-5-5', 2],
    ['DIFY', startFakeDify, '/v1', 'dify'],
  ])('%s answers', async (vendor, start, path, modelId, cost) => {
    const fake = await start()
    fake.always({
      steps: [{ say: 'Hello ' }, { say: 'from afar.' }, { usage: { input: 7, output: 3 } }, { end: 'stop' }],
    })
    const { device, process, messages } = await startSystem({
      env: { [`${vendor}_API_KEY`]: KEY, [`${vendor}_BASE_URL`]: `${fake.url}${path}`, LOG_LEVEL: 'trace' },
    })
    await process.waitForOutput(new RegExp(`^ +Models: ${modelId}`, 'm'))
    const phone = await device('phone')
    expect((await phone.waitFor('ready')).models.find((model) => model.default)?.id).toBe(modelId)
    const { sid } = await say(phone, 'Are you there?')
    await phone.waitFor('answer.done')
    const [, answer] = await messages(sid)
    expect(answer).toMatchObject({
      ...{ status: 'done', text: 'Hello from afar.', modelId },
      usage: { inputTokens: 7, outputTokens: 3, estimated: false, ...(cost !== undefined && { cost }) },
    })
    await phone.waitFor(
      'session.updated',
      ({ session }) => session.totalTokens === 10 && session.totalCost === (cost ?? 0),
    )
    expect(JSON.stringify(fake.calls[0]?.headers)).toContain(KEY)
    expect(process.output()).not.toContain(KEY)
    await fake.stop()
  })
})

describe('what the user is to know of an answer', () => {
  const demo = { provider: 'demo', label: 'Demo', pace: 0, contextTokens: 100, price: { in: 3, out: 15 } }

  it('is the same live and when the page is loaded again, with what it cost', async () => {
    const { device, messages } = await startSystem({ env: { MODELS: JSON.stringify([{ ...demo, id: 'small' }]) } })
    const phone = await device('phone')
    await phone.waitFor('ready')
    const { sid } = await say(phone, 'What can you do? Tell me all of it, and at length.')
    const first = await phone.waitFor('answer.done')
    expect(first).not.toHaveProperty('notices')
    await say(phone, 'And then?', { sid })
    const second = await phone.waitFor('answer.done', ({ seq }) => seq === 4)
    expect(second.notices).toEqual(['context_trimmed'])
    const stored = (await messages(sid)).filter((message) => message.author === 'assistant')
    expect(stored.map(({ notices }) => notices)).toEqual([undefined, ['context_trimmed']])
    expect(stored.map(({ usage }) => usage)).toEqual([first.usage, second.usage])
    const costs = [first, second].map(({ usage }) => {
      expect(usage?.cost).toBe(3 * (usage?.inputTokens ?? 0) + 15 * (usage?.outputTokens ?? 0))
      return usage?.cost ?? 0
    })
    const total = costs.reduce((sum, cost) => sum + cost, 0)
    await phone.waitFor('session.updated', ({ session }) => session.totalCost === total)
  })
})
