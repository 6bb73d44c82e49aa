import { arrivals } from '@chatbox/testkit/providers'
import type { FinishReason, Provider, ProviderEvent, ProviderRequest } from '@chatbox/worker'

/** One request to the scripted provider, played by the test. */
export interface Call {
  readonly request: ProviderRequest
  readonly signal: AbortSignal
  /** Resolves when the request was ended by the worker. */
  readonly closed: Promise<void>
  /** How many events were taken. */
  readonly taken: number
  say(...pieces: string[]): void
  usage(inputTokens?: number, outputTokens?: number): void
  end(reason?: FinishReason): void
  /** The stream ends, with no end mark. */
  stop(): void
  fail(error: unknown): void
}

export interface ScriptedProvider extends Provider {
  readonly calls: readonly Call[]
  /** The call of this number, from 0, as soon as it was made. */
  call(index: number): Promise<Call>
}

type Item = { readonly event: ProviderEvent } | { readonly error: unknown } | 'over'

/** Says what a test tells it to say, when it tells it to. Ignores its signal: the worker must not depend on manners. */
export function scriptedProvider(name = 'scripted'): ScriptedProvider {
  const calls = arrivals<Call>()
  return {
    name,
    calls: calls.all,
    stream(request, signal) {
      const { call, events } = newCall(request, signal)
      calls.add(call)
      return events
    },
    call: calls.at,
  }
}

function newCall(request: ProviderRequest, signal: AbortSignal) {
  const items: Item[] = []
  let taken = 0
  let wake: () => void = () => undefined
  const put = (item: Item) => {
    items.push(item)
    wake()
  }
  const call: Call = {
    request,
    signal,
    closed: new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    get taken() {
      return taken
    },
    say: (...pieces) => {
      for (const text of pieces) put({ event: { type: 'text', text } })
    },
    usage: (inputTokens, outputTokens) =>
      put({
        event: {
          type: 'usage',
          ...(inputTokens !== undefined && { inputTokens }),
          ...(outputTokens !== undefined && { outputTokens }),
        },
      }),
    end: (reason = 'stop') => put({ event: { type: 'end', reason } }),
    stop: () => put('over'),
    fail: (error) => put({ error }),
  }
  async function* events(): AsyncGenerator<ProviderEvent> {
    for (;;) {
      const item = items.shift()
      if (!item) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      if (item === 'over') return
      if ('error' in item) throw item.error
      taken += 1
      yield item.event
    }
  }
  return { call, events: events() }
}
