import { ProviderFault } from '@chatbox/worker'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type BreakerState, createGate, type Gate, ModelAway } from '../src/gate.ts'
import { createPlaces } from '../src/places.ts'
import type { Model } from '../src/provider.ts'
import { house, isDone } from './support/house.ts'
import { scriptedProvider } from './support/provider.ts'

const OPEN_MS = 30_000
const fault = () => new ProviderFault('provider_error', 'it broke', { retryable: true })
const never = new AbortController().signal

function gate(options: { failures?: number; places?: number } = {}) {
  const states: BreakerState[] = []
  const made = createGate(createPlaces(options.places ?? 10), {
    failures: options.failures ?? 2,
    openMs: OPEN_MS,
    onState: (state) => states.push(state),
  })
  return { ...made, states }
}

/** Lets what was said reach the breaker. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

async function fail({ enter }: Gate, times: number) {
  for (let i = 0; i < times; i++) (await enter(never)).leave(fault())
  await settled()
}

const entered = ({ enter }: Gate) =>
  enter(never).then(
    () => 'in',
    (error) => (error instanceof ModelAway ? 'away' : error),
  )

describe('the breaker of a model', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  it('opens after so many failures in a row, and then refuses at once, in a way that is not worth another try', async () => {
    const some = gate()
    await fail(some, 2)
    expect(some.states).toEqual(['open'])
    await expect(some.enter(never)).rejects.toMatchObject({ code: 'provider_overloaded', retryable: false })
  })

  it.each([
    ['a success', 'answered'],
    ['a request that the provider minds', new ProviderFault('provider_rejected', 'too long')],
  ] as const)('counts anew after %s', async (_, outcome) => {
    const some = gate()
    await fail(some, 1)
    ;(await some.enter(never)).leave(outcome)
    await settled()
    await fail(some, 1)
    expect(some.states).toEqual([])
  })

  it('takes nothing from requests that we stopped ourselves', async () => {
    const some = gate()
    for (let i = 0; i < 5; i++) (await some.enter(never)).leave(undefined)
    await settled()
    expect(some.states).toEqual([])
    await fail(some, 1)
    ;(await some.enter(never)).leave(undefined)
    await settled()
    await fail(some, 1)
    expect(some.states).toEqual(['open'])
  })

  it('lets one request through after a while, and everybody when that has begun to speak', async () => {
    const some = gate()
    await fail(some, 2)
    vi.advanceTimersByTime(OPEN_MS - 1)
    expect(await entered(some)).toBe('away')
    vi.advanceTimersByTime(1)
    const trial = await some.enter(never)
    expect(await entered(some)).toBe('away')
    trial.spoke()
    await settled()
    expect(some.states).toEqual(['open', 'half-open', 'closed'])
    expect(await entered(some)).toBe('in')
  })

  it.each([
    ['fails', fault()],
    ['is stopped by us', undefined],
  ])('stays open for as long again when the request on trial %s', async (_, outcome) => {
    const some = gate()
    await fail(some, 2)
    vi.advanceTimersByTime(OPEN_MS)
    ;(await some.enter(never)).leave(outcome)
    await settled()
    expect(some.states).toEqual(['open', 'half-open', 'open'])
    vi.advanceTimersByTime(OPEN_MS - 1)
    expect(await entered(some)).toBe('away')
    vi.advanceTimersByTime(1)
    expect(await entered(some)).toBe('in')
  })

  it('counts a failure after the first token too, of the request on trial as well', async () => {
    const some = gate({ failures: 1 })
    await fail(some, 1)
    vi.advanceTimersByTime(OPEN_MS)
    const trial = await some.enter(never)
    trial.spoke()
    await settled()
    trial.leave(fault())
    await settled()
    expect(some.states).toEqual(['open', 'half-open', 'closed', 'open'])
  })

  it('takes nothing from a request on trial either that we stopped when it had begun to speak', async () => {
    const some = gate({ failures: 1 })
    await fail(some, 1)
    vi.advanceTimersByTime(OPEN_MS)
    const trial = await some.enter(never)
    trial.spoke()
    await settled()
    trial.leave(undefined)
    await settled()
    expect(some.states).toEqual(['open', 'half-open', 'closed'])
  })
})

describe('the places at a provider', () => {
  it('are shared by its models; who finds none waits, and others are refused for the moment', async () => {
    const places = createPlaces(1)
    const options = { failures: 5, openMs: OPEN_MS, onState: () => undefined }
    const [one, two] = [createGate(places, options), createGate(places, options)]
    const first = await one.enter(never)
    const second = two.enter(never)
    await expect(two.enter(never)).rejects.toMatchObject({ code: 'provider_overloaded', retryable: true })
    first.leave('answered')
    ;(await second).leave('answered')
    await settled()
    ;(await one.enter(never)).leave('answered')
  })

  it('are not waited for when the answer was stopped, and the place goes to the next', async () => {
    const some = gate({ places: 1 })
    const first = await some.enter(never)
    const stopping = new AbortController()
    const waiting = some.enter(stopping.signal)
    const reason = new Error('cancelled')
    stopping.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    first.leave('answered')
    await settled()
    ;(await some.enter(never)).leave('answered')
  })

  it('go to those who still wait, past those who gave up', async () => {
    const some = gate({ places: 2 })
    const [first, other] = [await some.enter(never), await some.enter(never)]
    const stopping = new AbortController()
    const gaveUp = some.enter(stopping.signal)
    const waits = some.enter(never)
    stopping.abort(new Error('cancelled'))
    await expect(gaveUp).rejects.toThrow('cancelled')
    first.leave('answered')
    ;(await waits).leave('answered')
    other.leave('answered')
  })

  it('are waited for by as many as there are places, not counting those who gave up', async () => {
    const some = gate({ places: 1 })
    const first = await some.enter(never)
    for (let i = 0; i < 3; i++) {
      const stopping = new AbortController()
      const gaveUp = some.enter(stopping.signal)
      stopping.abort(new Error('cancelled'))
      await expect(gaveUp).rejects.toThrow('cancelled')
    }
    const waits = some.enter(never)
    await expect(some.enter(never)).rejects.toMatchObject({ code: 'provider_overloaded', retryable: true })
    first.leave('answered')
    ;(await waits).leave('answered')
    await settled()
    ;(await some.enter(never)).leave('answered')
  })

  it('are given back by who is refused by the breaker', async () => {
    const some = gate({ places: 1, failures: 1 })
    await fail(some, 1)
    for (let i = 0; i < 3; i++) expect(await entered(some)).toBe('away')
  })
})

describe('a model that is away', () => {
  const withGate = (model: Model | undefined, more: Partial<Model> = {}): Model => {
    if (!model) throw new Error('no model')
    const gate = createGate(createPlaces(10), { failures: 1, openMs: OPEN_MS, onState: () => undefined })
    return { ...model, gate, ...more }
  }

  it('fails answers at once, and no other model is affected', async () => {
    const { ask, worker, provider, models, ended } = await house()
    const other = scriptedProvider('other')
    models.set('model', withGate(models.get('model')))
    models.set('other', withGate({ provider: other, name: 'other-1', contextTokens: 2_000 }))
    await worker({ bounds: { tries: 1 } })
    const first = await ask()
    ;(await provider.call(0)).fail(fault())
    expect(await ended(first)).toMatchObject({ error: 'provider_error' })
    expect(await ended(await ask())).toMatchObject({ status: 'failed', error: 'provider_overloaded', text: '' })
    expect(provider.calls).toHaveLength(1)
    const third = await ask('hello', { modelId: 'other' })
    const call = await other.call(0)
    call.say('Here.')
    call.end()
    expect(await ended(third)).toMatchObject({ status: 'done', text: 'Here.', modelId: 'other' })
  })

  it('is stood in for by its fallback, and the answer says by whom', async () => {
    const { ask, worker, provider, models, ended, device, metrics } = await house()
    const other = scriptedProvider('other')
    models.set('model', withGate(models.get('model'), { fallback: 'other' }))
    models.set('other', { provider: other, name: 'other-1', systemPrompt: 'Be brief.', contextTokens: 2_000 })
    await worker({ bounds: { tries: 1 } })
    const first = await ask()
    ;(await provider.call(0)).fail(fault())
    // Of the first one nobody knew yet that it would fail: who was asked is who failed.
    expect(await ended(first)).toMatchObject({ status: 'failed', modelId: 'model' })
    const second = await ask()
    const screen = await device(second.uid)
    const call = await other.call(0)
    expect(call.request).toMatchObject({ model: 'other-1', system: 'Be brief.' })
    call.say('In its place.')
    call.end()
    expect(await ended(second)).toMatchObject({ status: 'done', text: 'In its place.', modelId: 'other' })
    expect(await screen.frame(isDone)).toMatchObject({ modelId: 'other' })
    expect(provider.calls).toHaveLength(1)
    const told = await metrics.text()
    expect(told).toContain('chatbox_worker_fallbacks_total{model="model",fallback="other"} 1')
    expect(told).toContain('chatbox_worker_first_token_seconds_count{model="other"} 1')
    expect(told).not.toContain('chatbox_worker_first_token_seconds_count{model="model"}')
  })

  it('is not stood in for by one that is away itself', async () => {
    const { ask, worker, provider, models, ended } = await house()
    const model = models.get('model')
    models.set('model', withGate(model, { fallback: 'other' }))
    models.set('other', withGate(model, { fallback: 'model' }))
    await worker({ bounds: { tries: 1 } })
    for (const modelId of ['model', 'other']) {
      const asked = await ask('hello', { modelId })
      ;(await provider.call(provider.calls.length)).fail(fault())
      await ended(asked)
    }
    expect(await ended(await ask())).toMatchObject({ status: 'failed', error: 'provider_overloaded' })
    expect(provider.calls).toHaveLength(2)
  })

  it('opens by a provider that takes too long, and by none that a user stopped', async () => {
    const { ask, worker, provider, models, ended } = await house()
    models.set('model', withGate(models.get('model')))
    await worker({ times: { firstTokenMs: 30 } })
    expect(await ended(await ask())).toMatchObject({ error: 'provider_timeout' })
    expect(await ended(await ask())).toMatchObject({ error: 'provider_overloaded' })
    expect(provider.calls).toHaveLength(1)
  })
})
