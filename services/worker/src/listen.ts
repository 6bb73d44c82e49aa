import type { WorkerTimes } from './deps.ts'
import { type Provider, type ProviderEvent, ProviderFault, type ProviderRequest } from './provider.ts'

type ListenTimes = Pick<WorkerTimes, 'firstTokenMs' | 'idleMs'>

/**
 * What a provider tells, within the time limits (L1), up to its own end mark: a stream that ends without one is a fault (P7).
 * When `stopped` aborts it rejects at once with its reason. However it is left, the provider's request ends.
 */
export async function* listen(
  provider: Provider,
  request: ProviderRequest,
  times: ListenTimes,
  stopped: AbortSignal,
): AsyncGenerator<ProviderEvent, void> {
  const closing = new AbortController()
  const source = provider.stream(request, closing.signal)[Symbol.asyncIterator]()
  const waiting = waits(stopped)
  let left = times.firstTokenMs
  let spoke = false
  try {
    for (;;) {
      const asked = performance.now()
      const next: IteratorResult<ProviderEvent, unknown> = await waiting.within(source.next(), left, spoke)
      if (next.done)
        throw new ProviderFault('provider_error', 'the stream ended without an end mark', { retryable: true })
      const event: ProviderEvent = next.value
      // Only text counts as the first token; after it everything is a sign of life. The time that we take is not the provider's.
      spoke ||= event.type === 'text' && event.text !== ''
      left = spoke ? times.idleMs : Math.max(0, left - (performance.now() - asked))
      yield event
      if (event.type === 'end') return
    }
  } finally {
    waiting.over()
    closing.abort()
    // Not waited for: an iterator that hangs in `next` would hang here too.
    source.return?.()?.catch(() => undefined)
  }
}

/** Waits for one thing after another. One timer and one listener serve them all: new ones for each token cost as much as reading it. */
function waits(stopped: AbortSignal) {
  let timer: NodeJS.Timeout | undefined
  let timerMs: number | undefined
  let late: () => void = () => undefined
  // Of the thing that is waited for; of one that has come it does nothing.
  let reject: (reason: unknown) => void = () => undefined
  const onStop = () => reject(stopped.reason)
  stopped.addEventListener('abort', onStop)

  function arm(ms: number): void {
    if (timer && ms === timerMs) {
      timer.refresh()
      return
    }
    clearTimeout(timer)
    timerMs = ms
    timer = setTimeout(() => late(), ms)
  }

  return {
    within<T>(next: Promise<T>, ms: number, spoke: boolean): Promise<T> {
      return new Promise((resolve, fail) => {
        reject = fail
        late = () => {
          const token = spoke ? 'next' : 'first'
          fail(new ProviderFault('provider_timeout', `the ${token} token took too long`))
        }
        arm(ms)
        next.then(resolve, fail)
        if (stopped.aborted) onStop()
      })
    },
    over() {
      clearTimeout(timer)
      stopped.removeEventListener('abort', onStop)
    },
  }
}
