import { createMetrics, type ModelSpec } from '@chatbox/runtime'
import { createModels, workerMetrics } from '@chatbox/worker'
import { expect, it, onTestFinished } from 'vitest'

const never = new AbortController().signal

const spec = (id: string, baseUrl: string): ModelSpec => ({
  ...{ id, label: id, provider: 'openai', api: 'chat', model: id, contextTokens: 1_000 },
  ...{ baseUrl, apiKey: '' },
})

it('the places at a server are those of all its models, and of nobody else’s (PROVIDER_CONCURRENCY)', async () => {
  const near = 'http://localhost:1/v1'
  const specs = [spec('one', near), spec('two', `${near}/beta`), spec('other', 'http://localhost:2/v1')]
  const models = await createModels(specs, { metrics: workerMetrics(createMetrics()), concurrency: 1 })
  onTestFinished(() => models.close())
  const enter = async (id: string) => {
    const visit = await models.byId.get(id)?.gate?.enter(never)
    if (!visit) throw new Error(`nothing stands in front of ${id}`)
    return visit
  }

  const first = await enter('one')
  let entered = false
  const second = enter('two').then((visit) => {
    entered = true
    return visit
  })
  // As many wait as may be under way, and no more.
  await expect(enter('one')).rejects.toMatchObject({ code: 'provider_overloaded', retryable: true })
  ;(await enter('other')).leave('answered')
  expect(entered).toBe(false)
  first.leave('answered')
  ;(await second).leave('answered')
})
