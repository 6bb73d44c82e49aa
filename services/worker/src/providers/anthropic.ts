import Anthropic from '@anthropic-ai/sdk'
import type { Provider } from '../provider.ts'
import { messageEvents } from './anthropic/events.ts'
import { faultOfSdk } from './anthropic/faults.ts'
import { type AnthropicOptions, messagesRequest, versionOf } from './anthropic/request.ts'
import { eventsOf } from './upstream/events.ts'
import { exchange } from './upstream/exchange.ts'
import type { Upstream } from './upstream/upstream.ts'

export type { AnthropicOptions } from './anthropic/request.ts'

/**
 * Anthropic's Messages API, or a gateway that speaks it; the base URL is without the `/v1`. The SDK makes the request and knows its
 * errors; the stream is read here, because the SDK's decoder holds a line of any length and takes a broken character for a whole one.
 */
export function createAnthropicProvider(upstream: Upstream, options: AnthropicOptions = {}): Provider {
  const client = clientOf(upstream)
  return {
    name: 'anthropic',
    stream: (request, signal) =>
      exchange(signal, async function* (closing) {
        const body = messagesRequest(request, options)
        const headers = { 'anthropic-version': versionOf(request) }
        // Not `messages.create`, which does the same and warns on the console, with each request, of models that grow old.
        const asked = client.post('/v1/messages', { body, headers, stream: true, signal: closing })
        const response = await asked.asResponse().catch((error) => {
          throw faultOfSdk(error, upstream)
        })
        yield* messageEvents(eventsOf(response), upstream)
      }),
  }
}

/** Nothing of the SDK's own: no tries, no clock, no log, no trace, and no key from the environment or from files. */
function clientOf({ baseUrl, apiKey, fetch }: Upstream): Anthropic {
  return new Anthropic({
    baseURL: baseUrl,
    apiKey,
    // By the name that the vendor's own reference uses and gateways of any age know; the SDK would say `authorization`.
    defaultHeaders: { 'x-api-key': apiKey, authorization: null, 'x-stainless-timeout': null },
    webhookKey: null,
    fetch,
    maxRetries: 0,
    timeout: LONGEST_TIMER_MS,
    logLevel: 'off',
    openTelemetry: false,
  })
}

const LONGEST_TIMER_MS = 2 ** 31 - 1
