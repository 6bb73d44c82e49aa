import type { ModelSpec } from '@chatbox/runtime'
import { type FakeProvider, type FakeRequest, startFakeOpenAI } from '@chatbox/testkit/providers'
import { createModels, workerMetrics } from '@chatbox/worker'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { house, isDone } from './support/house.ts'

/** Longer than a full machine takes for what happens within it; the test moves the clock. */
const OPEN_MS = 20_000

const nameIn = ({ body }: FakeRequest): unknown => (body as { model?: unknown }).model

/** A provider's server with two models, and another vendor's that answers in the place of the first. */
async function built() {
  const home = await house()
  const [near, far] = [await startFakeOpenAI(), await startFakeOpenAI()]
  const spec = (id: string, { url }: FakeProvider): ModelSpec => ({
    ...{ id, label: id, provider: 'openai', api: 'chat', model: id, contextTokens: 2_000 },
    ...{ baseUrl: `${url}/v1`, apiKey: 'not-a-secret' },
  })
  const specs = [{ ...spec('first', near), fallback: 'other' }, spec('second', near), spec('other', far)]
  const models = await createModels(specs, { metrics: workerMetrics(home.metrics), failures: 2, openMs: OPEN_MS })
  for (const [id, model] of models.byId) home.models.set(id, model)
  onTestFinished(async () => {
    await models.close()
    await Promise.all([near.stop(), far.stop()])
  })
  await home.worker({ bounds: { tries: 1 } })
  const answerBy = async (modelId: string) => home.ended(await home.ask('hello', { modelId }))
  const state = async () =>
    /chatbox_worker_breaker_state\{provider="openai",model="first"\} (\d)/.exec(await home.metrics.text())?.[1]
  return { ...home, near, answerBy, state }
}

describe('a model whose provider fails, in a whole worker', () => {
  it('is left alone, stood in for in a way that is said, tried again, and back; others are not affected', async () => {
    const { near, answerBy, state, ask, ended, device } = await built()
    const now = Date.now
    let ahead = 0
    vi.spyOn(Date, 'now').mockImplementation(() => now() + ahead)
    let well = false
    near.always((request) =>
      nameIn(request) === 'first' && !well ? { status: 500 } : { steps: [{ say: 'Well.' }, { end: 'stop' }] },
    )
    const askedOfFirst = () => near.calls.filter((call) => nameIn(call) === 'first').length
    expect(await state()).toBe('0')
    for (let i = 0; i < 2; i++) expect(await answerBy('first')).toMatchObject({ status: 'failed', modelId: 'first' })
    expect(await state()).toBe('2')

    const asked = await ask('hello', { modelId: 'first' })
    const screen = await device(asked.uid)
    const stoodIn = { status: 'done', text: 'Hello.', modelId: 'other', notices: ['model_fallback'] }
    expect(await ended(asked)).toMatchObject(stoodIn)
    expect(await screen.frame(isDone)).toMatchObject({ modelId: 'other', notices: ['model_fallback'] })
    // The same server, the same key, another model.
    const second = await answerBy('second')
    expect(second).toMatchObject({ status: 'done', text: 'Well.', modelId: 'second' })
    expect(second.notices).toBeUndefined()

    // It is tried when its time is over, and fails once more: it is left alone for as long again.
    const before = askedOfFirst()
    ahead += OPEN_MS
    await answerBy('first')
    expect(askedOfFirst()).toBe(before + 1)
    expect(await answerBy('first')).toMatchObject({ modelId: 'other' })
    expect(await state()).toBe('2')
    well = true
    ahead += OPEN_MS
    const answer = await answerBy('first')
    expect(answer).toMatchObject({ status: 'done', text: 'Well.', modelId: 'first' })
    expect(answer.notices).toBeUndefined()
    expect(await state()).toBe('0')
  })
})
