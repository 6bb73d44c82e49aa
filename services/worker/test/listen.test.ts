import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { listen } from '../src/listen.ts'
import type { Provider, ProviderEvent } from '../src/provider.ts'

const IDLE_MS = 1_000
const TIMES = { firstTokenMs: 5_000, idleMs: IDLE_MS }
const REQUEST = { model: 'any', messages: [{ role: 'user', text: 'Well?' }] } as const
const text = (said: string): ProviderEvent => ({ type: 'text', text: said })

/** Says these at once, then nothing. */
function saying(...events: readonly ProviderEvent[]): Provider {
  return {
    name: 'saying',
    async *stream() {
      yield* events
      await new Promise(() => undefined)
    },
  }
}

const listening = (provider: Provider, stopped: AbortSignal = new AbortController().signal) =>
  listen(provider, REQUEST, TIMES, stopped)

describe('listening to a provider', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('does not count the time that the listener takes, however long', async () => {
    const heard = listening(saying(text('one'), text('two')))
    expect((await heard.next()).value).toEqual(text('one'))
    await vi.advanceTimersByTimeAsync(10 * IDLE_MS)
    expect((await heard.next()).value).toEqual(text('two'))
    await heard.return()
  })

  it('gives each token its whole time, also after the listener took longer than that', async () => {
    const heard = listening(saying(text('one'), text('two'), text('three')))
    for (let i = 0; i < 3; i++) {
      await heard.next()
      await vi.advanceTimersByTimeAsync(10 * IDLE_MS)
    }
    const end = vi.fn()
    const over = heard.next().catch(end)
    await vi.advanceTimersByTimeAsync(IDLE_MS - 1)
    expect(end).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(end).toHaveBeenCalledOnce()
    await over
    expect(end).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'provider_timeout' }))
  })

  it('leaves no timer and no listener behind', async () => {
    const stopping = new AbortController()
    const remove = vi.spyOn(stopping.signal, 'removeEventListener')
    const add = vi.spyOn(stopping.signal, 'addEventListener')
    const heard = listening(saying(text('one'), { type: 'end', reason: 'stop' }), stopping.signal)
    for await (const _ of heard);
    expect(vi.getTimerCount()).toBe(0)
    expect(remove).toHaveBeenCalledTimes(add.mock.calls.length)
    expect(add).toHaveBeenCalled()
  })

  it('ends with the reason of whoever stops it while the listener is busy', async () => {
    const stopping = new AbortController()
    const heard = listening(saying(text('one'), text('two')), stopping.signal)
    await heard.next()
    stopping.abort(new Error('enough'))
    await expect(heard.next()).rejects.toThrow('enough')
    expect(vi.getTimerCount()).toBe(0)
  })
})
