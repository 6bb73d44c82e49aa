import type { Said, Stream } from '../dialect.ts'
import { errorBody } from './errors.ts'

/** What this vendor does that scripts of all vendors have no word for. */
export interface Peculiarities {
  /** Tokens of the prompt that `message_start` tells; an estimate without it. */
  readonly inputTokens?: number
  /** Parts of the prompt that were written to its cache, or read from there; they are not in `inputTokens`. */
  readonly cached?: { readonly written: number; readonly read: number }
  /** What the model thinks before it speaks: a block of its own, with a signature, which is no text of the answer. */
  readonly thinking?: string
  /** Instead of the reason that an end's own would be. */
  readonly stopReason?: string | null
}

const STOP_REASONS = { stop: 'end_turn', length: 'max_tokens', filtered: 'refusal' } as const

/**
 * The events of a message: message_start, then blocks of content_block_start, content_block_delta (text_delta, thinking_delta,
 * signature_delta) and content_block_stop, then message_delta with the reason and the totals, and message_stop. Between them ping,
 * and events that nobody knows yet; instead of the rest, `error`. Not modelled: blocks of tools, citations.
 */
export function messageStream(body: unknown, { inputTokens, cached, thinking, stopReason }: Peculiarities): Stream {
  const cache = { cache_creation_input_tokens: cached?.written ?? 0, cache_read_input_tokens: cached?.read ?? 0 }
  const started = inputTokens ?? Math.ceil(JSON.stringify(body).length / 4)
  let told: { readonly input: number; readonly output: number } | undefined
  let said = 0
  let index = 0
  let open = false

  function begin(): string {
    const { model } = body as { readonly model: string }
    return event('message_start', {
      message: {
        id: 'msg_fake',
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        // What was put out so far counts the first token already, as the vendor's own does.
        usage: { input_tokens: started, ...cache, output_tokens: 1 },
      },
    })
  }

  function thought(text: string): string {
    const delta = (content: object) => event('content_block_delta', { index, delta: content })
    const events = [
      event('content_block_start', { index, content_block: { type: 'thinking', thinking: '', signature: '' } }),
      delta({ type: 'thinking_delta', thinking: text }),
      delta({ type: 'signature_delta', signature: 'c2lnbmVk' }),
      event('content_block_stop', { index }),
    ]
    index += 1
    return events.join('')
  }

  function opened(): string {
    open = true
    const before = thinking === undefined ? '' : thought(thinking)
    return (
      before + event('content_block_start', { index, content_block: { type: 'text', text: '' } }) + event('ping', {})
    )
  }

  function say(text: string): string {
    said += 1
    const before = open ? '' : opened()
    return before + event('content_block_delta', { index, delta: { type: 'text_delta', text } })
  }

  function end(reason: keyof typeof STOP_REASONS): string {
    const stop_reason = stopReason === undefined ? STOP_REASONS[reason] : stopReason
    const usage = { input_tokens: told?.input ?? started, ...cache, output_tokens: told?.output ?? Math.max(1, said) }
    const stop_details = stop_reason === 'refusal' ? { type: 'refusal', category: null, explanation: null } : null
    return [
      open ? event('content_block_stop', { index }) : '',
      event('message_delta', { delta: { stop_reason, stop_sequence: null, stop_details }, usage }),
      event('message_stop', {}),
    ].join('')
  }

  return {
    contentType: 'text/event-stream; charset=utf-8',
    begin,
    write(step: Said) {
      if ('say' in step) return say(step.say)
      if ('usage' in step) {
        told = step.usage
        return ''
      }
      if ('end' in step) return end(step.end)
      if ('error' in step) return `event: error\ndata: ${errorBody(step.overloaded ? 529 : 500, step.error)}\n\n`
      return NOISE[step.noise]
    },
  }
}

const NOISE: Readonly<Record<'comment' | 'ping' | 'unknown-event', string>> = {
  comment: ': nothing to say yet\n\n',
  ping: event('ping', {}),
  'unknown-event': event('message_mood', { mood: { text: 'not a word of the answer' } }),
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}
