import type Anthropic from '@anthropic-ai/sdk'
import type { PromptMessage, ProviderRequest } from '../../provider.ts'

/** `temperature` is no part of the newest version. */
export type MessagesRequest = Anthropic.MessageCreateParamsStreaming & { readonly temperature?: number }

export function messagesRequest(
  { model, system, messages, maxTokens, temperature }: ProviderRequest,
  mostTokens: number,
): MessagesRequest {
  return {
    model,
    max_tokens: maxTokens ?? mostTokens,
    messages: turnsOf(messages),
    stream: true,
    ...(system !== undefined && system.trim() !== '' && { system }),
    ...(temperature !== undefined && { temperature }),
  }
}

/** The newest version takes no temperature from anybody; the one before takes it for models up to Claude 4.6. */
export const versionOf = ({ temperature }: ProviderRequest): string =>
  temperature === undefined ? '2026-10-21' : '2023-06-01'

/** Stands where a conversation that a human of the team began would have no first word of the user's. */
const NOTHING_YET: Anthropic.MessageParam = { role: 'user', content: '(nothing was said yet)' }

/**
 * Turns of the same role in a row are left as they are: the vendor puts them together. It refuses blank ones, and
 * conversations that the user did not begin.
 */
function turnsOf(messages: readonly PromptMessage[]): Anthropic.MessageParam[] {
  const turns = messages
    .filter(({ text }, index) => text.trim() !== '' || index === messages.length - 1)
    .map(({ role, text }): Anthropic.MessageParam => ({ role: role === 'user' ? 'user' : 'assistant', content: text }))
  return turns[0]?.role === 'user' ? turns : [NOTHING_YET, ...turns]
}
