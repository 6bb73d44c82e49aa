import OpenAI from 'openai'
import type { Provider } from '../provider.ts'
import { chatBody, chatEvents } from './openai/chat.ts'
import { faultOfSdk, readableErrors } from './openai/errors.ts'
import type { OpenAIOptions } from './openai/options.ts'
import { responsesBody, responsesEvents } from './openai/responses.ts'
import { eventsOf } from './upstream/events.ts'
import { exchange } from './upstream/exchange.ts'
import type { Upstream } from './upstream/upstream.ts'

export type { OpenAIOptions } from './openai/options.ts'

/**
 * OpenAI, and every server that speaks like it. The SDK makes the request and knows its errors; the stream is read here,
 * because the SDK's decoder holds a line of any length, writes what it cannot parse to the console, and hides how a stream ended.
 */
export function createOpenAIProvider(upstream: Upstream, options: OpenAIOptions = {}): Provider {
  const client = clientOf(upstream)
  const api = options.api ?? 'chat'
  return {
    name: 'openai',
    stream: (request, signal) =>
      exchange(signal, async function* (closing) {
        const asked =
          api === 'chat'
            ? client.chat.completions.create(chatBody(request, upstream, options), { signal: closing })
            : client.responses.create(responsesBody(request), { signal: closing })
        const response = await asked.asResponse().catch((error) => {
          throw faultOfSdk(error, upstream)
        })
        const events = eventsOf(response)
        yield* api === 'chat' ? chatEvents(events, upstream) : responsesEvents(events, upstream)
      }),
  }
}

/** Nothing of the SDK's own: no tries, no clock, no log, and nothing from the environment that was meant for something else. */
function clientOf(upstream: Upstream): OpenAI {
  const { baseUrl, apiKey } = upstream
  return new OpenAI({
    baseURL: baseUrl,
    // Servers on one's own machine ask for no key, but the SDK does.
    apiKey: apiKey || 'none',
    ...(apiKey === '' && { defaultHeaders: { authorization: null } }),
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    fetch: readableErrors(upstream),
    maxRetries: 0,
    timeout: LONGEST_TIMER_MS,
    logLevel: 'off',
  })
}

const LONGEST_TIMER_MS = 2 ** 31 - 1
