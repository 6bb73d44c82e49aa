import type { Stream } from '../dialect.ts'

const INCOMPLETE = { length: 'max_output_tokens', filtered: 'content_filter' } as const

/**
 * The Responses API: `response.created`, `response.in_progress`, one item with one part that text is added to, and at the end
 * `response.completed`, `response.incomplete` with a reason, or `response.failed`, each with the whole response. An `error` event, which
 * nests its error although the SDK's types don't, comes before the `response.failed` of an overload. Its ping is `keepalive`.
 */
export function responsesStream(body: unknown): Stream {
  const { model = '' } = (body ?? {}) as { readonly model?: string }
  let sequence = 0
  let text = ''
  let usage: object | null = null

  const event = (type: string, more: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...more })}\n\n`
  const response = (status: string, more: object = {}) => ({
    id: 'resp_fake',
    object: 'response',
    created_at: 1_700_000_000,
    status,
    error: null,
    incomplete_details: null,
    model,
    output: [],
    store: false,
    usage: null,
    ...more,
  })
  const at = { item_id: 'msg_fake', output_index: 0, content_index: 0 }
  const part = () => ({ type: 'output_text', annotations: [], logprobs: [], text })
  const item = (status: string, content: readonly unknown[]) => ({
    id: 'msg_fake',
    type: 'message',
    status,
    role: 'assistant',
    content,
  })

  function end(reason: 'stop' | 'length' | 'filtered'): string {
    const status = reason === 'stop' ? 'completed' : 'incomplete'
    const whole = item(status, [part()])
    const details = reason === 'stop' ? {} : { incomplete_details: { reason: INCOMPLETE[reason] } }
    return [
      event('response.output_text.done', { ...at, logprobs: [], text }),
      event('response.content_part.done', { ...at, part: part() }),
      event('response.output_item.done', { output_index: 0, item: whole }),
      event(`response.${status}`, { response: response(status, { ...details, output: [whole], usage }) }),
    ].join('')
  }

  function fail(message: string, overloaded: boolean): string {
    const error = { code: overloaded ? 'rate_limit_exceeded' : 'server_error', message }
    const said = overloaded ? event('error', { error: { type: 'tokens', ...error, param: null } }) : ''
    return said + event('response.failed', { response: response('failed', { error }) })
  }

  return {
    contentType: 'text/event-stream; charset=utf-8',
    begin: () =>
      [
        event('response.created', { response: response('in_progress') }),
        event('response.in_progress', { response: response('in_progress') }),
        event('response.output_item.added', { output_index: 0, item: item('in_progress', []) }),
        event('response.content_part.added', { ...at, part: part() }),
      ].join(''),
    write(step) {
      if ('say' in step) {
        text += step.say
        return event('response.output_text.delta', { ...at, delta: step.say, logprobs: [], obfuscation: 'x7Qe' })
      }
      if ('usage' in step) {
        const { input, output } = step.usage
        usage = { input_tokens: input, output_tokens: output, total_tokens: input + output }
        return ''
      }
      if ('end' in step) return end(step.end)
      if ('error' in step) return fail(step.error, step.overloaded ?? false)
      if (step.noise === 'comment') return ': a comment\n\n'
      return event(step.noise === 'ping' ? 'keepalive' : 'response.trace.added', {})
    },
  }
}
