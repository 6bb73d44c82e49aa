import type { ChatCompletionCreateParamsStreaming, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import { z } from 'zod'
import type { FinishReason, PromptMessage, ProviderEvent, ProviderRequest } from '../../provider.ts'
import { readJson, type ServerEvent } from '../upstream/events.ts'
import { saidByHuman } from '../upstream/human.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { faultOfError } from './errors.ts'
import type { OpenAIOptions } from './options.ts'
import { COUNT } from './shapes.ts'

export function chatBody(
  { model, system, messages, maxTokens, temperature }: ProviderRequest,
  { baseUrl }: Pick<Upstream, 'baseUrl'>,
  { maxTokensName = nameFor(baseUrl), askUsage = true }: OpenAIOptions,
): ChatCompletionCreateParamsStreaming {
  return {
    model,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system } as const]),
      ...messages.map(messageOf),
    ],
    stream: true,
    ...(askUsage && { stream_options: { include_usage: true } }),
    ...(maxTokens !== undefined && { [maxTokensName]: maxTokens }),
    ...(temperature !== undefined && { temperature }),
  }
}

const NEW_NAMES = /(^|\.)(openai\.com|openai\.azure\.com|services\.ai\.azure\.com)$/

const nameFor = (baseUrl: string): NonNullable<OpenAIOptions['maxTokensName']> =>
  NEW_NAMES.test(new URL(baseUrl).hostname) ? 'max_completion_tokens' : 'max_tokens'

const messageOf = ({ role, text }: PromptMessage): ChatCompletionMessageParam =>
  role === 'agent' ? { role: 'assistant', content: saidByHuman(text) } : { role, content: text }

/** As much of a chunk as is looked at. Some servers leave out or null what has nothing to say. */
const CHUNK = z.object({
  error: z.unknown().optional(),
  choices: z
    .array(
      z.object({
        // Something else than a string, such as the parts in which others put what a model thinks, is no text of the answer.
        delta: z
          .object({ content: z.string().nullish().catch(null), refusal: z.string().nullish().catch(null) })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: z.object({ prompt_tokens: COUNT, completion_tokens: COUNT }).nullish().catch(null),
})

/** The end mark is the reason in a chunk; the `[DONE]` behind it is said by most servers, and by some after an error as well. */
export async function* chatEvents(
  events: AsyncIterable<ServerEvent>,
  upstream: Upstream,
): AsyncGenerator<ProviderEvent, void> {
  let end: ProviderEvent | undefined
  for await (const { data } of events) {
    if (data.startsWith('[DONE]')) continue
    const { error, choices, usage } = readJson(data, CHUNK)
    if (error) throw faultOfError(error, upstream)
    const [choice] = choices ?? []
    const text = choice?.delta?.content || choice?.delta?.refusal
    if (text) yield { type: 'text', text }
    if (usage) yield { type: 'usage', inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens }
    if (choice?.finish_reason && !end) {
      end = { type: 'end', reason: reasonOf(choice.finish_reason, upstream) }
      yield end
    }
  }
}

const REASONS: Readonly<Record<string, FinishReason>> = { length: 'length', content_filter: 'filtered' }

/** Words of compatible servers for an answer that broke off. */
const FAILED = new Set(['error', 'network_error', 'insufficient_system_resource'])

function reasonOf(reason: string, upstream: Upstream): FinishReason {
  if (FAILED.has(reason)) throw faultOfError({ message: 'the answer was broken off', code: reason }, upstream)
  return REASONS[reason] ?? 'stop'
}
