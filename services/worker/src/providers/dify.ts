import { randomUUID } from 'node:crypto'
import { type Provider, type ProviderEvent, ProviderFault, type ProviderRequest } from '../provider.ts'
import { faultOfEvent, faultOfRefusal, isLost, refusedBy } from './dify/faults.ts'
import { fromTheStart, goingOn } from './dify/query.ts'
import { openRun, type Run, type StopOptions, signed } from './dify/run.ts'
import { type DifyEvent, readEvent } from './dify/shapes.ts'
import { eventsOf } from './upstream/events.ts'
import { exchange } from './upstream/exchange.ts'
import type { Upstream } from './upstream/upstream.ts'

export type DifyOptions = Partial<StopOptions>

/** An event may hold all that the nodes of a workflow hand to each other, or a piece of speech. */
const EVENTS = { mostBytes: 4 * 1024 * 1024 }

/**
 * Dify's service API for chats, agents and chatflows: an app has its own model, prompt and settings, so those of the request are not
 * sent. It keeps its own conversations (decision 13). The base URL ends in `/v1`.
 */
export function createDifyProvider(upstream: Upstream, { stopMs = 5_000, ...options }: DifyOptions = {}): Provider {
  return {
    name: 'dify',
    stream: (request, signal) =>
      exchange(signal, async function* (closing) {
        const user = request.session ?? randomUUID()
        const run = openRun(upstream, user, { stopMs, ...options })
        closing.addEventListener('abort', run.stop)
        const response = await ask(upstream, request, user, closing)
        yield* told(response, run, upstream)
      }),
  }
}

/** From the question to the answer's beginning. A conversation that is lost is begun anew, before anybody has heard anything. */
async function ask(upstream: Upstream, request: ProviderRequest, user: string, signal: AbortSignal): Promise<Response> {
  const { baseUrl, fetch } = upstream
  const { thread } = request
  const post = (fields: object) => {
    const settings = { inputs: {}, response_mode: 'streaming', user, auto_generate_name: false }
    return fetch(`${baseUrl}/chat-messages`, { ...signed(upstream, { ...settings, ...fields }), signal })
  }
  const begin = () => post({ query: fromTheStart(request) })

  let response = await (thread ? post({ query: goingOn(thread.messages), conversation_id: thread.id }) : begin())
  if (response.ok) return response
  const refused = await refusedBy(response)
  if (!thread || !isLost(refused)) throw faultOfRefusal(refused, upstream)
  response = await begin()
  if (response.ok) return response
  throw faultOfRefusal(await refusedBy(response), upstream)
}

/** What the events mean to a caller. */
async function* told(response: Response, run: Run, upstream: Upstream): AsyncGenerator<ProviderEvent, void> {
  let said = ''
  let broken: string | undefined
  for await (const { data } of eventsOf(response, EVENTS)) {
    const event = readEvent(data)
    run.named(event.task_id)
    switch (event.event) {
      case 'message':
      case 'agent_message': {
        const text = textOf(event)
        said += text
        if (text !== '') yield { type: 'text', text }
        break
      }
      case 'message_replace': {
        // Somebody who moderates puts another text in the place of what was said. What only goes on can be said; the rest can't be
        // taken back from here, so it ends as withheld, with what was shown.
        const text = textOf(event)
        if (!text.startsWith(said)) return yield { type: 'end', reason: 'filtered' }
        if (text !== said) yield { type: 'text', text: text.slice(said.length) }
        said = text
        break
      }
      case 'workflow_finished':
        broken = BROKEN.find((status) => event.data?.status === status)
        break
      case 'message_end':
        run.over()
        // It stands behind a run that was stopped or failed as well.
        if (broken) throw new ProviderFault('provider_error', `the run ended as ${broken}`, { retryable: true })
        yield* ended(event)
        break
      case 'error':
        run.over()
        throw faultOfEvent(event, upstream)
    }
  }
}

const BROKEN = ['failed', 'stopped'] as const

function textOf({ answer }: DifyEvent): string {
  if (answer !== undefined) return answer
  throw new ProviderFault('provider_error', 'the provider sent a message without a text', { retryable: true })
}

function* ended({ metadata, conversation_id: id }: DifyEvent): Generator<ProviderEvent, void> {
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = metadata?.usage ?? {}
  // Zeros stand where the model did not tell.
  if (inputTokens || outputTokens) {
    yield {
      type: 'usage',
      ...(inputTokens !== undefined && { inputTokens }),
      ...(outputTokens !== undefined && { outputTokens }),
    }
  }
  if (id !== undefined) yield { type: 'thread', id }
  yield { type: 'end', reason: 'stop' }
}
