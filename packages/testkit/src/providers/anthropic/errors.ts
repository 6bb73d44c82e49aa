import type { FakeRequest } from '../fake.ts'

/** What the vendor's page about errors says of each status. */
const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

/** Its type for the 4xx that it does not name is the one of 400. */
const typeOf = (status: number): string => TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')

/** The body of an answer that is no success, and the data of an `error` event. */
export const errorBody = (status: number, message: string): string =>
  JSON.stringify({ type: 'error', error: { type: typeOf(status), message }, request_id: 'req_fake' })

/** The version that took away temperature, top_p and top_k. */
const NO_SAMPLING = '2026-10-21'
const VERSIONS = ['2023-06-01', NO_SAMPLING]
const SAMPLING = ['temperature', 'top_p', 'top_k']

/** What the vendor would refuse of a request for text, in the order in which it looks. */
export function refusalOf({
  headers,
  body,
}: FakeRequest): { readonly status: number; readonly body: string } | undefined {
  const refused = (message: string, status = 400) => ({ status, body: errorBody(status, message) })
  if (!headers['x-api-key'] && !headers.authorization) return refused('x-api-key header is required', 401)
  const version = headers['anthropic-version']
  if (version === undefined) return refused('anthropic-version: header is required')
  if (!VERSIONS.includes(String(version))) return refused(`anthropic-version: "${version}" is not a valid version`)
  if (!isObject(body)) return refused('The request body is not valid JSON')
  const wrong = wrongField(body, String(version)) ?? wrongMessages(body.messages)
  return wrong === undefined ? undefined : refused(wrong)
}

function wrongField(body: Record<string, unknown>, version: string): string | undefined {
  const { model, max_tokens, temperature, system, stream } = body
  if (typeof model !== 'string') return 'model: Field required'
  if (max_tokens === undefined) return 'max_tokens: Field required'
  if (!Number.isInteger(max_tokens) || Number(max_tokens) < 1) return 'max_tokens: must be a positive integer'
  if (system !== undefined && typeof system !== 'string' && !Array.isArray(system)) return 'system: must be a string'
  const sampling = SAMPLING.find((name) => body[name] !== undefined)
  if (sampling !== undefined && version === NO_SAMPLING) return `${sampling}: Extra inputs are not permitted`
  if (temperature !== undefined && !(Number(temperature) >= 0 && Number(temperature) <= 1)) {
    return 'temperature: range: 0..1'
  }
  // Without it the vendor answers in one piece, which nobody here asks for.
  if (stream !== true) return 'stream: this server knows streams only'
  return undefined
}

/** Messages of the same role in a row are no fault: the vendor takes them as one turn. */
function wrongMessages(messages: unknown): string | undefined {
  if (!Array.isArray(messages) || messages.length === 0) return 'messages: at least one message is required'
  for (const message of messages) {
    if (!isObject(message) || (message.role !== 'user' && message.role !== 'assistant')) {
      return 'messages: Unexpected role. Allowed roles are "user" or "assistant"'
    }
    const texts = textsOf(message.content)
    if (texts.length === 0 || texts.includes('')) return 'messages: text content blocks must be non-empty'
    if (texts.some((text) => text.trim() === ''))
      return 'messages: text content blocks must contain non-whitespace text'
  }
  if (messages[0].role !== 'user') return 'messages: first message must use the "user" role'
  if (messages.at(-1).role !== 'user') {
    return 'This model does not support assistant message prefill. The conversation must end with a user message.'
  }
  return undefined
}

function textsOf(content: unknown): string[] {
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.filter(isObject).map(({ text }) => String(text ?? ''))
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
