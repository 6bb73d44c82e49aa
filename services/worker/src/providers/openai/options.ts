export interface OpenAIOptions {
  /** `chat`, the default, is what compatible servers speak; `responses` is OpenAI's own newer way. */
  readonly api?: 'chat' | 'responses'
  /**
   * What the limit of tokens is called in Chat Completions. OpenAI's reasoning models refuse the old name, `max_tokens`, and most compatible
   * servers pass over the new one as if there was no limit. By default the new name for OpenAI and Azure, the old one elsewhere.
   */
  readonly maxTokensName?: 'max_completion_tokens' | 'max_tokens'
  /** Whether Chat Completions is asked to tell the usage. On by default; a server that refuses `stream_options` needs it off. */
  readonly askUsage?: boolean
}
