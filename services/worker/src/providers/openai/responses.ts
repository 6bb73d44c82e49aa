import type { EasyInputMessage, ResponseCreateParamsStreaming } from 'openai/resources/responses/responses'
import { z } from 'zod'
import type { PromptMessage, ProviderEvent, ProviderRequest } from '../../provider.ts'
import { readJson, type ServerEvent } from '../upstream/events.ts'
import { saidByHuman } from '../upstream/human.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { faultOfError } from './errors.ts'
import { COUNT } from './shapes.ts'

export const responsesBody = ({
  model,
  system,
  messages,
  maxTokens,
  temperature,
}: ProviderRequest): ResponseCreateParamsStreaming => ({
  model,
  input: messages.map(messageOf),
  stream: true,
  // Otherwise OpenAI keeps what was asked and answered for thirty days; who keeps conversations is Chatbox.
  store: false,
  ...(system !== undefined && { instructions: system }),
  ...(maxTokens !== undefined && { max_output_tokens: maxTokens }),
  ...(temperature !== undefined && { temperature }),
})

const messageOf = ({ role, text }: PromptMessage): EasyInputMessage =>
  role === 'agent' ? { role: 'assistant', content: saidByHuman(text) } : { role, content: text }

const EVENT = z.object({
  type: z.string(),
  delta: z.string().optional().catch(undefined),
  response: z
    .object({
      error: z.unknown().optional(),
      incomplete_details: z.object({ reason: z.string().nullish() }).nullish().catch(null),
      usage: z.object({ input_tokens: COUNT, output_tokens: COUNT }).nullish().catch(null),
    })
    .nullish(),
  /** Of an event `error`: nested here on the wire, beside the type in the documentation. */
  error: z.unknown().optional(),
  code: z.unknown().optional(),
  message: z.unknown().optional(),
})

/** Events of other types, `keepalive` among them, say nothing that is text, usage or end. */
export async function* responsesEvents(
  events: AsyncIterable<ServerEvent>,
  upstream: Upstream,
): AsyncGenerator<ProviderEvent, void> {
  for await (const { data } of events) {
    if (data.startsWith('[DONE]')) continue
    const { type, delta, response, error, code, message } = readJson(data, EVENT)
    const usage = response?.usage
    if (usage) yield { type: 'usage', inputTokens: usage.input_tokens, outputTokens: usage.output_tokens }
    switch (type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        if (delta) yield { type: 'text', text: delta }
        break
      case 'response.completed':
        yield { type: 'end', reason: 'stop' }
        break
      case 'response.incomplete':
        yield { type: 'end', reason: response?.incomplete_details?.reason === 'content_filter' ? 'filtered' : 'length' }
        break
      case 'response.failed':
        throw faultOfError(response?.error, upstream)
      case 'error':
        throw faultOfError(error ?? { code, message }, upstream)
    }
  }
}
