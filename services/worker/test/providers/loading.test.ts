import type { ModelSpec } from '@chatbox/runtime'
import { createMetrics } from '@chatbox/runtime'
import { createModels, workerMetrics } from '@chatbox/worker'
import { expect, it, vi } from 'vitest'

const loaded = vi.hoisted(() => [] as string[])
vi.mock('openai', async (original) => {
  loaded.push('openai')
  return original()
})
vi.mock('@anthropic-ai/sdk', async (original) => {
  loaded.push('anthropic')
  return original()
})

const common = { label: 'Any', contextTokens: 1_000, baseUrl: 'https://localhost/v1', apiKey: '' } as const
const demo: ModelSpec = { ...common, id: 'demo', provider: 'demo', pace: 1 }
const dify: ModelSpec = { ...common, id: 'dify', provider: 'dify' }
const openai: ModelSpec = { ...common, id: 'openai', provider: 'openai', model: 'any', api: 'chat' }
const anthropic: ModelSpec = { ...common, id: 'anthropic', provider: 'anthropic', model: 'any' }

it('loads an SDK where one of its models is configured, and no other', async () => {
  const open = async (...specs: ModelSpec[]) => {
    const models = await createModels(specs, { metrics: workerMetrics(createMetrics()) })
    await models.close()
    return [...models.byId.keys()]
  }
  expect(await open(demo, dify)).toEqual(['demo', 'dify'])
  expect(loaded).toEqual([])
  await open(demo, anthropic)
  expect(loaded).toEqual(['anthropic'])
  await open(openai)
  expect(loaded).toEqual(['anthropic', 'openai'])
})
