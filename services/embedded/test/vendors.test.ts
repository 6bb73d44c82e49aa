import { type FakeProvider, startFakeAnthropic, startFakeDify, startFakeOpenAI } from '@chatbox/testkit/providers'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, say, startSystem } from './system.ts'

afterEach(cleanUp)

const KEY = 'sk-canary-of-the-embedded-shape' // not a secret

describe('a key and an address in the environment are all that it takes', () => {
  it.each<[string, () => Promise<FakeProvider>, string, string]>([
    ['OPENAI', startFakeOpenAI, '/v1', 'gpt-4.1-mini'],
    ['ANTHROPIC', startFakeAnthropic, '', 'claude-haiku-4-5'],
    ['DIFY', startFakeDify, '/v1', 'dify'],
  ])('%s answers', async (vendor, start, path, modelId) => {
    const fake = await start()
    fake.always({
      steps: [{ say: 'Hello ' }, { say: 'from afar.' }, { usage: { input: 7, output: 3 } }, { end: 'stop' }],
    })
    const { device, process, messages } = await startSystem({
      env: { [`${vendor}_API_KEY`]: KEY, [`${vendor}_BASE_URL`]: `${fake.url}${path}`, LOG_LEVEL: 'trace' },
    })
    const phone = await device('phone')
    expect((await phone.waitFor('ready')).models.find((model) => model.default)?.id).toBe(modelId)
    const { sid } = await say(phone, 'Are you there?')
    await phone.waitFor('answer.done')
    const [, answer] = await messages(sid)
    expect(answer).toMatchObject({
      ...{ status: 'done', text: 'Hello from afar.', modelId },
      usage: { inputTokens: 7, outputTokens: 3, estimated: false },
    })
    expect(JSON.stringify(fake.calls[0]?.headers)).toContain(KEY)
    expect(process.output()).not.toContain(KEY)
    await fake.stop()
  })
})
