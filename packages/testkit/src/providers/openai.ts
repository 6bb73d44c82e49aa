import type { Dialect, Stream } from './dialect.ts'
import { type FakeProvider, type FakeRequest, startFake } from './fake.ts'
import { chatStream } from './openai/chat.ts'
import { responsesStream } from './openai/responses.ts'

export interface FakeOpenAIOptions {
  /** Servers that only speak like OpenAI's, such as one on one's own machine, often ask for none. */
  readonly needsKey?: boolean
}

/** Speaks Chat Completions and the Responses API, both only streaming, below whatever path the base URL has. */
export const startFakeOpenAI = (options: FakeOpenAIOptions = {}): Promise<FakeProvider> => startFake(dialect(options))

const dialect = ({ needsKey = true }: FakeOpenAIOptions): Dialect => ({
  asks: ({ method, path }) => method === 'POST' && apiOf(path) !== undefined,
  refuse: (request) => refusal(request, needsKey),
  stream: (request): Stream =>
    apiOf(request.path) === 'responses' ? responsesStream(request.body) : chatStream(request.body),
  errorBody: (status, message) => errorBody(message, status >= 500 ? 'server_error' : 'invalid_request_error'),
})

function apiOf(path: string): 'chat' | 'responses' | undefined {
  const { pathname } = new URL(path, 'http://fake')
  if (pathname.endsWith('/chat/completions')) return 'chat'
  return pathname.endsWith('/responses') ? 'responses' : undefined
}

const errorBody = (message: string, type: string, code: string | null = null): string =>
  JSON.stringify({ error: { message, type, param: null, code } })

const ROLES = new Set(['system', 'developer', 'user', 'assistant'])

function refusal({ path, headers, body }: FakeRequest, needsKey: boolean): ReturnType<NonNullable<Dialect['refuse']>> {
  if (needsKey && !/^Bearer \S/.test(headers.authorization ?? '')) {
    return { status: 401, body: errorBody('You did not provide an API key.', 'invalid_request_error') }
  }
  const wrong = (message: string) => ({ status: 400, body: errorBody(message, 'invalid_request_error') })
  const asked = (body ?? {}) as Record<string, unknown>
  const messages = apiOf(path) === 'responses' ? asked.input : asked.messages
  if (typeof asked.model !== 'string') return wrong('you must provide a model parameter')
  if (!Array.isArray(messages) || messages.length === 0) return wrong('there must be messages')
  if (messages.some(({ role, content }) => !ROLES.has(role) || typeof content !== 'string')) {
    return wrong('a message is not one of a known role with a text')
  }
  if (asked.stream !== true) return wrong('nothing but streams is known here')
  return undefined
}
