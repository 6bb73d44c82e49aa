import type { ErrorCode } from '@chatbox/protocol'
import type { Price } from '@chatbox/runtime'
import type { Gate } from './gate.ts'

export interface PromptMessage {
  /** `agent`: a human of the team that helps, whom a provider may know as another kind of assistant, or not at all. */
  readonly role: 'user' | 'assistant' | 'agent'
  readonly text: string
}

export interface ProviderRequest {
  /** The provider's own name of the model. */
  readonly model: string
  readonly system?: string
  /** The oldest first; the last one is the question. */
  readonly messages: readonly PromptMessage[]
  readonly maxTokens?: number
  readonly temperature?: number
  /** Opaque, and the same for every question of a conversation, for vendors that ask whom they answer. */
  readonly session?: string
  readonly thread?: Thread
}

/** A conversation that the provider keeps itself, in which the last answer was given (decision 13). */
export interface Thread {
  /** The provider's own name of it. */
  readonly id: string
  /** What was said since; the last one is the question. */
  readonly messages: readonly PromptMessage[]
}

/** `length`: the most tokens that were asked for. `filtered`: the provider withheld the rest. */
export type FinishReason = 'stop' | 'length' | 'filtered'

export type ProviderEvent =
  | { readonly type: 'text'; readonly text: string }
  /** Totals of this request so far; a later one replaces what it names of an earlier one. */
  | { readonly type: 'usage'; readonly inputTokens?: number; readonly outputTokens?: number }
  /** The provider keeps this conversation, and can go on in it. */
  | { readonly type: 'thread'; readonly id: string }
  /** The provider's own mark that the answer is whole. The end of the stream is not one (P7). */
  | { readonly type: 'end'; readonly reason: FinishReason }

/** One way to a model. Whatever is peculiar to a vendor stays behind this. */
export interface Provider {
  /** For logs and metrics. */
  readonly name: string
  /**
   * Asks, and tells what comes. Throws `ProviderFault` for everything that goes wrong. When the signal aborts, the
   * request must end at once, whoever is iterating or not: time limits and cancelling are the caller's.
   */
  stream(request: ProviderRequest, signal: AbortSignal): AsyncIterable<ProviderEvent>
}

export type ProviderFaultCode = Extract<ErrorCode, `provider_${string}`>

export interface ProviderFaultDetails {
  /** Worth asking again: network, overload, 408, 409, 429, 5xx. */
  readonly retryable?: boolean
  /** What the provider asked for. */
  readonly retryAfterMs?: number
  readonly cause?: unknown
}

/** The message is for the log; users get the sentence of the code (X4). */
export class ProviderFault extends Error {
  override readonly name = 'ProviderFault'
  readonly code: ProviderFaultCode
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined

  constructor(code: ProviderFaultCode, message: string, details: ProviderFaultDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.retryable = details.retryable ?? false
    this.retryAfterMs = details.retryAfterMs
  }
}

/** A model that users may pick, and how it is asked. */
export interface Model {
  readonly provider: Provider
  /** The provider's own name of it. */
  readonly name: string
  readonly systemPrompt?: string
  readonly temperature?: number
  readonly maxTokens?: number
  /** Tokens that the system prompt, the history and the question may take together. */
  readonly contextTokens: number
  /** Of what was used nobody knows what it cost without one. */
  readonly price?: Price
  /** Nothing stands in front of a model without one. */
  readonly gate?: Gate
  /** The id of the model that answers while this one is away. */
  readonly fallback?: string
}
