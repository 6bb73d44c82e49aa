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
  let left = times.firstTokenMs
  let spoke = false
  try {
    for (;;) {
      const asked = performance.now()
      const next: IteratorResult<ProviderEvent, unknown> = await within(source.next(), left, stopped, spoke)
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
    closing.abort()
    // Not waited for: an iterator that hangs in `next` would hang here too.
    source.return?.()?.catch(() => undefined)
  }
}

function within<T>(next: Promise<T>, ms: number, stopped: AbortSignal, spoke: boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const over = () => {
      clearTimeout(timer)
      stopped.removeEventListener('abort', onStop)
    }
    const onStop = () => {
      over()
      reject(stopped.reason)
    }
    const timer = setTimeout(() => {
      over()
      reject(
        new ProviderFault('provider_timeout', spoke ? 'the next token took too long' : 'the first token took too long'),
      )
    }, ms)
    next.then(resolve, reject).finally(over)
    stopped.addEventListener('abort', onStop)
    if (stopped.aborted) onStop()
  })
}
