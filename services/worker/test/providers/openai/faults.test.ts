import { type FakeProvider, startFakeOpenAI } from '@chatbox/testkit/providers'
import type { Provider } from '@chatbox/worker'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createOpenAIProvider } from '../../../src/providers/openai.ts'
import { KEY, listen } from '../golden/opened.ts'

let fake: FakeProvider
let chat: Provider
let responses: Provider

beforeEach(async () => {
  fake = await startFakeOpenAI()
  const upstream = { baseUrl: `${fake.url}/v1`, apiKey: KEY, fetch: globalThis.fetch }
  chat = createOpenAIProvider(upstream)
  responses = createOpenAIProvider(upstream, { api: 'responses' })
})
afterEach(() => fake.stop())

const chunk = (choice: object, more: object = {}) => ({
  raw: `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }], ...more })}\n\n`,
})
const event = (type: string, more: object) => ({
  raw: `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`,
})
const failed = (error: unknown) => event('response.failed', { response: { status: 'failed', error } })

describe('a fault of OpenAI', () => {
  it.each([
    [{ error: { code: 'insufficient_quota', type: 'insufficient_quota', message: 'pay' } }],
    [{ error: { code: 'billing_hard_limit_reached', type: 'invalid_request_error', message: 'pay' } }],
  ])('by an unpaid bill is not waited for, although its status is that of too many requests: %j', async (body) => {
    fake.next({ status: 429, body: JSON.stringify(body) })
    expect((await listen(chat)).fault).toMatchObject({ code: 'provider_error', retryable: false })
  })

  it.each([
    ['false', 500, false],
    ['true', 400, true],
    ['perhaps', 500, true],
  ])('is worth another try or not as it says: x-should-retry: %s', async (wish, status, retryable) => {
    fake.next({ status, headers: { 'x-should-retry': wish } })
    expect((await listen(chat)).fault).toMatchObject({ retryable })
  })

  it('tells how long to wait in milliseconds where it can', async () => {
    fake.next({ status: 429, headers: { 'retry-after-ms': '1234', 'retry-after': '2' } })
    expect((await listen(chat)).fault).toMatchObject({ retryAfterMs: 1234 })
  })

  it.each([
    ['in an object', '{"error":{"message":"no such model","type":"x","code":null}}'],
    ['as a string', '{"error":"no such model"}'],
    ['without an error', '{"detail":"no such model"}'],
    ['in a message', '{"object":"error","message":"no such model","code":404}'],
    ['in plain text', 'no such model'],
  ])('is quoted for the log wherever compatible servers put its words: %s', async (_, body) => {
    fake.next({ status: 404, body })
    expect((await listen(chat)).fault).toMatchObject({ message: expect.stringContaining('no such model') })
  })

  it('is read no further than anybody needs', async () => {
    fake.next({ status: 500, body: 'x'.repeat(20 * 1024 * 1024) })
    const { fault } = await listen(chat)
    expect(fault?.message.length).toBeLessThan(600)
    expect((await (await fake.call(0)).closed).byClient).toBe(true)
  })

  const CODES = [
    [{ code: 'server_error', message: '' }, 'provider_error', true],
    [{ code: 'rate_limit_exceeded', message: '' }, 'provider_overloaded', true],
    [{ code: 'server_is_overloaded', message: '' }, 'provider_overloaded', true],
    [{ code: 'insufficient_quota', message: '' }, 'provider_error', false],
    [{ code: 'invalid_prompt', message: '' }, 'provider_rejected', false],
    [{ code: 'context_length_exceeded', message: '' }, 'provider_rejected', false],
    [{ type: 'invalid_request_error', code: null, message: '' }, 'provider_rejected', false],
    [{ code: 502, message: 'upstream' }, 'provider_error', true],
    [{ code: 429, message: 'upstream' }, 'provider_overloaded', true],
    [{ code: 400, message: 'upstream' }, 'provider_rejected', false],
    ['only words', 'provider_error', true],
  ] as const

  it.each(CODES)('in a stream of chunks is known by its code: %j', async (error, code, retryable) => {
    fake.next({ steps: [{ say: 'a' }, { raw: `data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n` }] })
    expect(await listen(chat)).toMatchObject({ text: 'a', ends: [], fault: { code, retryable } })
  })

  it.each(CODES)('in a stream of the Responses API is known by its code: %j', async (error, code, retryable) => {
    for (const step of [event('error', { error }), failed(error)]) {
      fake.next({ steps: [{ say: 'a' }, step] })
      expect(await listen(responses)).toMatchObject({ text: 'a', ends: [], fault: { code, retryable } })
    }
  })

  it('in a stream of the Responses API may be as flat as the documentation has it', async () => {
    const flat = event('error', { code: 'rate_limit_exceeded', message: 'slowly', param: null, sequence_number: 1 })
    fake.next({ steps: [{ say: 'a' }, flat] })
    expect((await listen(responses)).fault).toMatchObject({
      code: 'provider_overloaded',
      message: expect.stringContaining('slowly'),
    })
  })

  it.each(['error', 'network_error', 'insufficient_system_resource'])(
    'that compatible servers tell as the reason of an end is no end: %s',
    async (finish_reason) => {
      fake.next({ steps: [{ say: 'a' }, chunk({ delta: {}, finish_reason })] })
      expect(await listen(chat)).toMatchObject({ text: 'a', ends: [], fault: { retryable: true } })
    },
  )
})

describe('an answer of OpenAI', () => {
  it('has a refusal as its text, since that is what the model says', async () => {
    fake.next(
      { steps: [chunk({ delta: { refusal: 'I will not.' } }), { end: 'stop' }] },
      { steps: [event('response.refusal.delta', { delta: 'I will not.' }), { end: 'stop' }] },
    )
    expect(await listen(chat)).toMatchObject({ text: 'I will not.', ends: ['stop'] })
    expect(await listen(responses)).toMatchObject({ text: 'I will not.', ends: ['stop'] })
  })

  it('may come in chunks that leave out, or null, what they have not got', async () => {
    const raw = [
      { choices: null },
      { object: 'chat.completion.chunk' },
      { choices: [{ delta: null }] },
      { choices: [{ delta: { content: [{ type: 'thinking' }] } }] },
      { choices: [{ delta: { content: 'ab' }, finish_reason: '' }], usage: { prompt_tokens: -1 } },
      {
        choices: [{ delta: { content: 'c' }, finish_reason: 'eos' }],
        usage: { prompt_tokens: 3, completion_tokens: 4 },
      },
    ].map((value) => ({ raw: `data: ${JSON.stringify(value)}\n\n` }))
    fake.next({ steps: raw })
    const totals = { inputTokens: 3, outputTokens: 4 }
    expect(await listen(chat)).toMatchObject({ text: 'abc', ends: ['stop'], totals, fault: undefined })
  })

  it('ends once, where its reason is said again with the totals', async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 4 }
    const last = { delta: {}, finish_reason: 'length' }
    fake.next({ steps: [{ say: 'a' }, chunk(last), chunk(last, { usage }), { hang: true }] })
    expect(await listen(chat)).toMatchObject({ ends: ['length'], totals: { inputTokens: 3, outputTokens: 4 } })
  })

  it('that was cut has its usage in the Responses API', async () => {
    const usage = { input: 3, output: 4 }
    fake.next({ steps: [{ say: 'a' }, { usage }, { end: 'length' }] })
    expect(await listen(responses)).toMatchObject({ ends: ['length'], totals: { inputTokens: 3, outputTokens: 4 } })
  })
})
