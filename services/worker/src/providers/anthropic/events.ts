import { z } from 'zod'
import type { FinishReason, ProviderEvent } from '../../provider.ts'
import { readJson, type ServerEvent } from '../upstream/events.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { faultOfEvent } from './faults.ts'
import { promptTokens, USAGE } from './usage.ts'

/** Other kinds of blocks and deltas, such as what a model thinks, are no text of the answer. */
const textOr = (type: string) =>
  z.union([
    z.object({ type: z.literal(type), text: z.string() }),
    z.object({ type: z.string().refine((t) => t !== type) }),
  ])

/** As much of each event as is looked at. */
const MESSAGE_START = z.object({ message: z.object({ usage: USAGE }) })
const BLOCK_START = z.object({ content_block: textOr('text') })
const BLOCK_DELTA = z.object({ delta: textOr('text_delta') })
const MESSAGE_DELTA = z.object({ delta: z.object({ stop_reason: z.string().nullish() }), usage: USAGE })
const ERROR = z.object({ error: z.object({ type: z.string(), message: z.string() }) })

/** Events that are not known here are passed over: the vendor adds some without notice. The end mark is `message_stop`. */
export async function* messageEvents(
  events: AsyncIterable<ServerEvent>,
  upstream: Upstream,
): AsyncGenerator<ProviderEvent, void> {
  const inputTokens = promptTokens()
  let stopReason = ''
  for await (const { name, data } of events) {
    switch (name) {
      case 'message_start': {
        // Its output tokens are those of an answer that has just begun; who is cut off later has said more than that.
        const tokens = inputTokens(readJson(data, MESSAGE_START).message.usage)
        if (tokens !== undefined) yield { type: 'usage', inputTokens: tokens }
        break
      }
      case 'content_block_start': {
        const { content_block } = readJson(data, BLOCK_START)
        if ('text' in content_block && content_block.text !== '') yield { type: 'text', text: content_block.text }
        break
      }
      case 'content_block_delta': {
        const { delta } = readJson(data, BLOCK_DELTA)
        if ('text' in delta && delta.text !== '') yield { type: 'text', text: delta.text }
        break
      }
      case 'message_delta': {
        const { delta, usage } = readJson(data, MESSAGE_DELTA)
        stopReason = delta.stop_reason ?? stopReason
        const tokens = inputTokens(usage)
        const outputTokens = usage?.output_tokens ?? undefined
        yield {
          type: 'usage',
          ...(tokens !== undefined && { inputTokens: tokens }),
          ...(outputTokens !== undefined && { outputTokens }),
        }
        break
      }
      case 'message_stop':
        yield { type: 'end', reason: REASONS[stopReason] ?? 'stop' }
        break
      case 'error':
        throw faultOfEvent(readJson(data, ERROR).error, upstream)
    }
  }
}

/**
 * The rest are ends as good as any: `end_turn`, `stop_sequence`, what the vendor will call its ends tomorrow, and `tool_use` and
 * `pause_turn`, which come to those alone who offer tools.
 */
const REASONS: Readonly<Record<string, FinishReason>> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'filtered',
}
