import { randomUUID } from 'node:crypto'
import { arrivals } from './arrivals.ts'
import type { Dialect } from './dialect.ts'
import { type DifyApp, difyStream } from './dify/stream.ts'
import { type FakeProvider, type FakeRequest, startFake } from './fake.ts'

export interface FakeDifyOptions {
  /** A chatflow tells of its run around its messages, an agent tells what it thinks, a plain chat does neither. */
  readonly app?: DifyApp
}

/** A run that somebody asked to stop. */
export interface DifyStop {
  readonly taskId: string
  readonly user: string
}

export interface FakeDify extends FakeProvider {
  readonly stops: readonly DifyStop[]
  /** The stop of this number, from 0, as soon as it was asked for. */
  stopped(index: number): Promise<DifyStop>
  /** Nobody can go on in the conversations that there were: as when they are deleted, or the app is another one. */
  loseConversations(): void
}

/** Speaks the part of Dify's service API that answers in a chat, below whatever path the base URL has. */
export async function startFakeDify({ app = 'chatflow' }: FakeDifyOptions = {}): Promise<FakeDify> {
  const conversations = new Map<string, string>()
  const stops = arrivals<DifyStop>()
  const fake = await startFake(dialect(app, conversations, stops.add))
  // Not spread, for its getters would be read once.
  return Object.assign(fake, {
    stops: stops.all,
    stopped: stops.at,
    loseConversations: () => conversations.clear(),
  })
}

/** `conversations`: by their ids, whose they are. */
function dialect(app: DifyApp, conversations: Map<string, string>, onStop: (stop: DifyStop) => void): Dialect {
  return {
    asks: ({ method, path }) => method === 'POST' && pathOf(path).endsWith('/chat-messages'),
    refuse(request) {
      const wrong = refusal(request)
      if (wrong) return wrong
      const { conversation_id: known, user } = fieldsOf(request)
      // A conversation is found by whoever began it alone.
      return known && conversations.get(String(known)) !== user ? error(404, 'Conversation Not Exists.') : undefined
    },
    stream(request) {
      const { conversation_id: known, user } = fieldsOf(request)
      const conversationId = known ? String(known) : randomUUID()
      conversations.set(conversationId, String(user))
      return difyStream(app, conversationId)
    },
    errorBody: (status, message) => error(status, message).body,
    other(request) {
      const [, taskId] = /\/chat-messages\/([^/]+)\/stop$/.exec(pathOf(request.path)) ?? []
      if (request.method !== 'POST' || taskId === undefined) return undefined
      const { user } = fieldsOf(request)
      if (!isSigned(request)) return error(401, 'Access token is invalid')
      if (typeof user !== 'string') return error(400, 'user is required', 'invalid_param')
      onStop({ taskId, user })
      return { status: 200, body: JSON.stringify({ result: 'success' }) }
    },
  }
}

const pathOf = (path: string): string => new URL(path, 'http://fake').pathname

const fieldsOf = ({ body }: FakeRequest) => (body ?? {}) as Record<string, unknown>

const isSigned = ({ headers }: FakeRequest): boolean => /^Bearer \S/.test(headers.authorization ?? '')

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

function refusal(request: FakeRequest): ReturnType<NonNullable<Dialect['refuse']>> {
  if (!isSigned(request)) return error(401, 'Access token is invalid')
  const { query, inputs, user, response_mode: mode, conversation_id: known } = fieldsOf(request)
  const wrong = (message: string) => error(400, message, 'invalid_param')
  if (typeof query !== 'string' || query === '') return wrong('query is required')
  if (typeof inputs !== 'object' || inputs === null) return wrong('inputs is required')
  if (typeof user !== 'string' || user === '') return wrong('user is required')
  if (mode !== 'streaming') return wrong('nothing but streams is known here')
  if (known && !UUID.test(String(known))) return wrong('conversation_id must be a valid UUID')
  return undefined
}

/** Named after the status, where nothing better is known. */
const CODES: Readonly<Record<number, string>> = {
  400: 'invalid_param',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  408: 'request_timeout',
  409: 'conflict',
  413: 'request_entity_too_large',
  422: 'unprocessable_entity',
  429: 'too_many_requests',
  502: 'bad_gateway',
  503: 'service_unavailable',
}

const error = (status: number, message: string, code = CODES[status] ?? 'internal_server_error') => ({
  status,
  body: JSON.stringify({ code, message, status }),
})
