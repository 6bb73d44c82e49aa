import { createMetrics, type ModelSpec } from '@chatbox/runtime'
import { startFakeOpenAI } from '@chatbox/testkit/providers'
import { createModels, workerMetrics } from '@chatbox/worker'
import { expect, it, onTestFinished } from 'vitest'
import { KEY, listen, QUESTION } from './golden/opened.ts'

it('a model is asked as its entry says that its server wants to be spoken to', async () => {
  const fake = await startFakeOpenAI()
  onTestFinished(() => fake.stop())
  const at = { baseUrl: `${fake.url}/v1`, apiKey: KEY }
  const usual: ModelSpec = {
    ...{ ...at, id: 'usual', label: 'U', contextTokens: 1_000 },
    ...{ provider: 'openai', model: 'm', api: 'chat' },
  }
  const peculiar: ModelSpec = { ...usual, id: 'peculiar', maxTokensName: 'max_completion_tokens', askUsage: false }
  const models = await createModels([usual, peculiar], { metrics: workerMetrics(createMetrics()) })
  onTestFinished(() => models.close())

  for (const { provider } of models.byId.values())
    expect((await listen(provider, { ...QUESTION, maxTokens: 7 })).text).toBe('Hello.')

  expect(fake.calls.map(({ body }) => body)).toEqual([
    expect.objectContaining({ max_tokens: 7, stream_options: { include_usage: true } }),
    expect.objectContaining({ max_completion_tokens: 7 }),
  ])
  expect(fake.calls[1]?.body).not.toHaveProperty('stream_options')
})
