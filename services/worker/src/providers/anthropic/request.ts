import type Anthropic from '@anthropic-ai/sdk'
import type { PromptMessage, ProviderRequest } from '../../provider.ts'
import { saidByHuman } from '../upstream/human.ts'

export interface AnthropicOptions {
  /** The most tokens of an answer where the model's settings name no number: the vendor takes no request without one. */
  readonly maxTokens?: number
}

/** What a model thinks counts too. Every model that the vendor still serves can put out as many. */
const MAX_TOKENS = 8_192

/** `temperature` is no part of the newest version, and so not of the SDK's types. */
type MessagesRequest = Anthropic.MessageCreateParamsStreaming & { readonly temperature?: number }

export function messagesRequest(
  { model, system, messages, maxTokens, temperature }: ProviderRequest,
  options: AnthropicOptions,
): MessagesRequest {
  return {
    model,
    max_tokens: maxTokens ?? options.maxTokens ?? MAX_TOKENS,
    messages: turnsOf(messages),
    stream: true,
    ...(system !== undefined && !isBlank(system) && { system }),
    ...(temperature !== undefined && { temperature }),
  }
}

/** The newest version takes no temperature from anybody; the one before it takes one for models up to Claude 4.6. */
export const versionOf = ({ temperature }: ProviderRequest): string =>
  temperature === undefined ? '2026-10-21' : '2023-06-01'

/** Stands where the user has said nothing before a human of the team wrote. */
const NOTHING_YET: Anthropic.MessageParam = { role: 'user', content: '(nothing was said yet)' }

/**
 * Turns of the same role in a row are left as they are: the vendor puts them together. It refuses those that are blank, and
 * conversations that no user began.
 */
function turnsOf(messages: readonly PromptMessage[]): Anthropic.MessageParam[] {
  const turns = messages.filter(({ text }, i) => !isBlank(text) || i === messages.length - 1).map(turnOf)
  return turns[0]?.role === 'user' ? turns : [NOTHING_YET, ...turns]
}

const turnOf = ({ role, text }: PromptMessage): Anthropic.MessageParam =>
  role === 'agent' ? { role: 'assistant', content: saidByHuman(text) } : { role, content: text }

const isBlank = (text: string): boolean => text.trim() === ''
