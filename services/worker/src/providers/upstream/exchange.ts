import type { ProviderEvent } from '../../provider.ts'
import { faultOfTransport } from './faults.ts'

export interface ExchangeOptions {
  /** How long after its end mark a vendor may go on, with its totals and the end of the body. */
  readonly graceMs?: number
}

type Ask = (signal: AbortSignal) => AsyncGenerator<ProviderEvent, void>

/**
 * What every adapter does around one request. `ask` makes it, ends it when its signal aborts, and tells what comes; what it throws
 * becomes a fault, or the reason for which the caller aborted. However this is left, the request ends.
 *
 * The end mark is told last, when the body has ended: totals may come after it, and only then can the connection serve the next
 * request. By then the answer is whole, so a connection that breaks after it, or lingers, takes nothing away from it (P7).
 */
export async function* exchange(
  signal: AbortSignal,
  ask: Ask,
  { graceMs = 2_000 }: ExchangeOptions = {},
): AsyncGenerator<ProviderEvent, void> {
  signal.throwIfAborted()
  const closing = new AbortController()
  const close = () => closing.abort(signal.reason)
  signal.addEventListener('abort', close, { once: true })
  const events = ask(closing.signal)
  const grace = timer(graceMs)
  let end: ProviderEvent | undefined
  try {
    for (;;) {
      // When it is no longer waited for, how it ends concerns nobody.
      const result = await (end ? Promise.race([events.next(), grace.over]) : events.next())
      signal.throwIfAborted()
      if (!result || result.done) break
      if (result.value.type === 'end') {
        end = result.value
        grace.start()
      } else yield result.value
    }
  } catch (error) {
    if (signal.aborted || !end) throw faultOfTransport(error, signal)
  } finally {
    grace.clear()
    signal.removeEventListener('abort', close)
    close()
    events.return().catch(() => undefined)
  }
  if (end) yield end
}

function timer(ms: number) {
  let timeout: NodeJS.Timeout | undefined
  let ring: () => void = () => undefined
  const over = new Promise<undefined>((resolve) => {
    ring = () => resolve(undefined)
  })
  return {
    over,
    start() {
      timeout ??= setTimeout(ring, ms)
    },
    clear: () => clearTimeout(timeout),
  }
}
