import Anthropic from '@anthropic-ai/sdk'
import type { Provider, ProviderEvent, ProviderRequest } from '../provider.ts'
import { faultOfAnthropic } from './anthropic/faults.ts'
import { finishReasonOf } from './anthropic/finish.ts'
import { messagesRequest, versionOf } from './anthropic/request.ts'
import { promptTokens } from './anthropic/usage.ts'
import type { Upstream } from './upstream/upstream.ts'

export interface AnthropicOptions {
  /** The most tokens of an answer where neither model nor request says: the vendor takes no request without a number. */
  readonly maxTokens?: number
}

/** Thinking counts too. Every model that the vendor still serves can put out as many. */
const MAX_TOKENS = 8_192

/** The longest that a timer takes: limits of time are the caller's. */
const NO_TIMEOUT = 2 ** 31 - 1

/** Anthropic's Messages API, or a gateway that speaks it; the base URL is without the `/v1`. */
export function createAnthropicProvider(
  { baseUrl, apiKey, fetch }: Upstream,
  { maxTokens = MAX_TOKENS }: AnthropicOptions = {},
): Provider {
  const client = new Anthropic({
    baseURL: baseUrl,
    // Given here, so that the SDK looks for no other in the environment and in files.
    apiKey,
    // The name that the vendor's own reference uses, and that gateways of any age know; the SDK's own is `authorization`.
    defaultHeaders: { 'x-api-key': apiKey, authorization: null, 'x-stainless-timeout': null },
    fetch,
    maxRetries: 0,
    timeout: NO_TIMEOUT,
    // It would write pieces of answers to the console, and of requests to a trace.
    logLevel: 'off',
    openTelemetry: false,
  })

  async function* stream(request: ProviderRequest, signal: AbortSignal): AsyncGenerator<ProviderEvent, void> {
    try {
      signal.throwIfAborted()
      // Not `messages.create`, which does the same and warns on the console, with each request, of models that grow old.
      const events = await client.post<AsyncIterable<Anthropic.RawMessageStreamEvent>>(
        '/v1/messages',
        {
          body: messagesRequest(request, maxTokens),
          headers: { 'anthropic-version': versionOf(request) },
          stream: true,
          signal,
        },
      )
      yield* tell(events)
    } catch (error) {
      throw faultOfAnthropic(error, apiKey, signal)
    }
    // To the SDK an aborted stream is one that came to its end.
    signal.throwIfAborted()
  }

  return { name: 'anthropic', stream }
}

/** Kinds of events, blocks and deltas that are not known here are passed over: the vendor adds some without notice. */
async function* tell(events: AsyncIterable<Anthropic.RawMessageStreamEvent>): AsyncGenerator<ProviderEvent, void> {
  const inputTokens = promptTokens()
  let stopReason: string | null = null
  for await (const event of events) {
    switch (event.type) {
      case 'message_start': {
        // Its output tokens are those of an answer that has just begun; who is cut off later said more than that.
        const tokens = inputTokens(event.message.usage)
        if (tokens !== undefined) yield { type: 'usage', inputTokens: tokens }
        break
      }
      case 'content_block_start':
        if (event.content_block.type === 'text' && event.content_block.text !== '') {
          yield { type: 'text', text: event.content_block.text }
        }
        break
      case 'content_block_delta':
        if (event.delta.type === 'text_delta' && event.delta.text !== '') {
          yield { type: 'text', text: event.delta.text }
        }
        break
      case 'message_delta': {
        stopReason = event.delta.stop_reason ?? stopReason
        const tokens = inputTokens(event.usage)
        const outputTokens = event.usage?.output_tokens
        yield {
          type: 'usage',
          ...(tokens !== undefined && { inputTokens: tokens }),
          ...(typeof outputTokens === 'number' && { outputTokens }),
        }
        break
      }
      case 'message_stop':
        yield { type: 'end', reason: finishReasonOf(stopReason) }
        return
    }
  }
}
