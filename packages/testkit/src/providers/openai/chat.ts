import type { Stream } from '../dialect.ts'

interface Asked {
  readonly model?: string
  readonly stream_options?: { readonly include_usage?: boolean }
}

const FINISH = { stop: 'stop', length: 'length', filtered: 'content_filter' } as const

/**
 * Chat Completions: a chunk with the role, one for each piece of text, one with the reason of the end; then, if it was asked for, one
 * with the usage and no choices (every other has a usage of null); then `[DONE]`. Events have no names. There is no ping: servers
 * that speak like this send comments.
 */
export function chatStream(body: unknown): Stream {
  const { model = '', stream_options } = (body ?? {}) as Asked
  const tellsUsage = stream_options?.include_usage === true
  let usage: { readonly input: number; readonly output: number } | undefined

  const chunk = (choices: readonly unknown[], more: object = tellsUsage ? { usage: null } : {}) =>
    data({
      id: 'chatcmpl-fake',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model,
      service_tier: 'default',
      system_fingerprint: null,
      choices,
      ...more,
    })
  const choice = (delta: object, finish_reason: string | null = null) => [
    { index: 0, delta, logprobs: null, finish_reason },
  ]

  return {
    contentType: 'text/event-stream; charset=utf-8',
    begin: () => chunk(choice({ role: 'assistant', content: '', refusal: null })),
    write(step) {
      if ('say' in step) return chunk(choice({ content: step.say }))
      if ('usage' in step) {
        usage = step.usage
        return ''
      }
      if ('end' in step) return chunk(choice({}, FINISH[step.end])) + totals() + data('[DONE]')
      if ('error' in step) return data({ error: errorOf(step.error, step.overloaded ?? false) })
      return NOISE[step.noise]
    },
  }

  function totals(): string {
    if (!tellsUsage || !usage) return ''
    const { input, output } = usage
    return chunk([], {
      usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
    })
  }
}

const data = (value: unknown): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`

const errorOf = (message: string, overloaded: boolean) =>
  overloaded
    ? { message, type: 'requests', param: null, code: 'rate_limit_exceeded' }
    : { message, type: 'server_error', param: null, code: null }

const NOISE = {
  comment: ': a comment\n\n',
  ping: ': keep-alive\n\n',
  'unknown-event': `event: trace\n${data({ object: 'trace', trace: { id: 'trace-fake' } })}`,
}
