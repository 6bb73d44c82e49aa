import { randomUUID } from 'node:crypto'
import type { Said, Stream } from '../dialect.ts'

export type DifyApp = 'chat' | 'agent' | 'chatflow'

/**
 * An answer's events, as `data:` lines without a name of their own. Modelled: `message`, `agent_message`, `agent_thought`,
 * `message_replace` (what moderation of output sends), `message_end`, `workflow_started`, `node_started`, `node_finished`,
 * `workflow_finished`, `error` after status 200, `tts_message`, and the bare `event: ping`.
 */
export function difyStream(app: DifyApp, conversationId: string): Stream {
  const [taskId, messageId] = [randomUUID(), randomUUID()]
  const place = { conversation_id: conversationId, message_id: messageId, created_at: 1_760_000_000 }
  const event = (name: string, fields: object) => `data: ${JSON.stringify({ event: name, ...place, ...fields })}\n\n`
  const told = (name: string, fields: object = {}) => event(name, { task_id: taskId, ...fields })
  const workflow = (name: string, data: object = {}) =>
    app === 'chatflow' ? told(name, { workflow_run_id: taskId, data: { id: taskId, ...data } }) : ''
  let metadata: object = {}
  let thought = ''

  const end = (): string =>
    (app === 'agent' ? told('agent_thought', { id: messageId, position: 1, thought, observation: '', tool: '' }) : '') +
    workflow('node_finished', { node_type: 'answer', status: 'succeeded', outputs: { answer: thought } }) +
    workflow('workflow_finished', { status: 'succeeded', outputs: { answer: thought }, total_tokens: 0 }) +
    told('message_end', { id: messageId, metadata })

  return {
    contentType: 'text/event-stream; charset=utf-8',
    begin: () => workflow('workflow_started') + workflow('node_started', { node_type: 'llm' }),
    write(step: Said) {
      if ('say' in step) {
        thought += step.say
        return told(app === 'agent' ? 'agent_message' : 'message', { id: messageId, answer: step.say })
      }
      if ('usage' in step) {
        const { input, output } = step.usage
        const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output, currency: 'USD' }
        metadata = { usage, retriever_resources: [] }
        return ''
      }
      if ('error' in step) return event('error', errorOf(step))
      if ('noise' in step) return NOISE[step.noise](told)
      // There is no word for an answer that was cut by a limit of tokens.
      return step.end === 'filtered'
        ? told('message_replace', { answer: WITHHELD, reason: 'output_moderation' }) + end()
        : end()
    },
  }
}

const WITHHELD = 'I can’t help with that.'

/** Without the id of the task, as the service leaves it out. */
const errorOf = ({ error, overloaded }: { error: string; overloaded?: boolean }) =>
  overloaded
    ? { code: 'rate_limit_error', message: error, status: 429 }
    : { code: 'completion_request_error', message: error, status: 400 }

const NOISE: Record<'comment' | 'ping' | 'unknown-event', (told: (name: string, fields: object) => string) => string> =
  {
    comment: () => ': of a proxy\n\n',
    ping: () => 'event: ping\n\n',
    'unknown-event': (told) =>
      told('tts_message', { audio: 'SUQz' }) + told('an_event_of_tomorrow', { answer: 'not for you', audio: null }),
  }
