import {
  type AnthropicPeculiarities,
  type FakeCall,
  type Script,
  startFakeAnthropic,
  VENDORS,
} from '@chatbox/testkit/providers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type AnthropicOptions, createAnthropicProvider } from '../../src/providers/anthropic.ts'
import { listen, opened, QUESTION } from './golden/opened.ts'
import { describeProvider, KEY, type Opened } from './golden.ts'

interface Asked {
  readonly model: string
  readonly system?: string
  readonly max_tokens: number
  readonly temperature?: number
  readonly messages: readonly { readonly role: string; readonly content: string }[]
}

const event = (name: string, data: unknown) =>
  `event: ${name}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
const delta = (delta: object) => event('content_block_delta', { type: 'content_block_delta', index: 0, delta })

async function open(peculiarities: AnthropicPeculiarities = {}, options: AnthropicOptions = {}): Promise<Opened> {
  const fake = await startFakeAnthropic(peculiarities)
  return {
    fake,
    provider: createAnthropicProvider({ baseUrl: fake.url, apiKey: KEY, fetch: globalThis.fetch }, options),
    frames: VENDORS.anthropic.frames,
    heard: VENDORS.anthropic.heard,
  }
}

// The first event tells what was asked, and that one token was put out; how many there were in the end comes with the last one.
describeProvider('Anthropic', () => open({ inputTokens: 31 }), {
  alwaysTells: { whole: { inputTokens: 31, outputTokens: 1 }, broken: { inputTokens: 31 } },
})

describe('A request to Anthropic', () => {
  const bodyOf = ({ body }: FakeCall) => body as Asked

  it('names the newest version, and the one before it where a temperature is set', async () => {
    const { fake, provider } = await opened(open)
    const { fault } = await listen(provider)
    const { fault: faultOfOld } = await listen(provider, { ...QUESTION, temperature: 1 })
    expect([fault, faultOfOld]).toEqual([undefined, undefined])
    expect(fake.calls.map(({ headers }) => headers['anthropic-version'])).toEqual(['2026-10-21', '2023-06-01'])
  })

  it('says how many tokens an answer may have, whether anybody set it or not', async () => {
    const { fake, provider } = await opened(() => open({}, { maxTokens: 1_000 }))
    await listen(provider)
    await listen(provider, { ...QUESTION, maxTokens: 77 })
    expect(fake.calls.map((call) => bodyOf(call).max_tokens)).toEqual([1_000, 77])

    const plain = await opened(open)
    expect((await listen(plain.provider)).fault).toBeUndefined()
    expect(bodyOf(await plain.fake.call(0)).max_tokens).toBe(8_192)
  })

  it('begins with words of the user, where a human of the team was the first to write', async () => {
    const { fake, provider } = await opened(open)
    const messages = [
      { role: 'agent', text: 'How can I help?' },
      { role: 'user', text: 'Why is it so?' },
    ] as const
    expect((await listen(provider, { ...QUESTION, messages })).fault).toBeUndefined()
    const { messages: asked } = bodyOf(await fake.call(0))
    expect(asked.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    expect(asked[1]?.content).toContain('How can I help?')
  })

  it('leaves out blank lines of the history, which the vendor would refuse', async () => {
    const { fake, provider } = await opened(open)
    const messages = [
      { role: 'user', text: 'One?' },
      { role: 'assistant', text: ' \n' },
      { role: 'user', text: 'Two?' },
    ] as const
    expect((await listen(provider, { ...QUESTION, system: ' ', messages })).fault).toBeUndefined()
    const { messages: asked, system } = bodyOf(await fake.call(0))
    expect(asked.map(({ content }) => content)).toEqual(['One?', 'Two?'])
    expect(system).toBeUndefined()
  })

  it('is refused as the vendor would, with a fault that blames the request', async () => {
    const { provider } = await opened(open)
    const { fault } = await listen(provider, { ...QUESTION, temperature: 1.5 })
    expect(fault).toMatchObject({ code: 'provider_rejected', retryable: false })
    expect(fault?.message).toContain('temperature')
  })

  it('needs a key', async () => {
    const { fake } = await opened(open)
    const { fetch } = globalThis
    const { fault } = await listen(createAnthropicProvider({ baseUrl: fake.url, apiKey: '', fetch }))
    expect(fault).toMatchObject({ code: 'provider_error', retryable: false })
    expect(fault?.message).toContain('401')
  })

  describe('with keys of something else in the environment', () => {
    afterEach(() => vi.unstubAllEnvs())

    it('uses the one that it was given, and no other host', async () => {
      vi.stubEnv('ANTHROPIC_API_KEY', 'another-key')
      vi.stubEnv('ANTHROPIC_AUTH_TOKEN', 'a-token')
      vi.stubEnv('ANTHROPIC_BASE_URL', 'http://127.0.0.1:9')
      const { fake, provider } = await opened(open)
      expect((await listen(provider)).fault).toBeUndefined()
      const { headers } = await fake.call(0)
      expect(headers['x-api-key']).toBe(KEY)
      expect(headers.authorization).toBeUndefined()
    })
  })
})

describe('An answer of Anthropic', () => {
  it('keeps what the model thinks to itself', async () => {
    const { fake, provider } = await opened(() => open({ thinking: 'They want to know why.' }))
    fake.next({ steps: [{ say: 'Because.' }, { end: 'stop' }] })
    expect(await listen(provider)).toMatchObject({ text: 'Because.', ends: ['stop'] })
  })

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'filtered'],
    ['pause_turn', 'stop'],
    ['a_reason_of_tomorrow', 'stop'],
    [null, 'stop'],
  ] as const)('that stopped because of %s has the end: %s', async (stopReason, reason) => {
    const { fake, provider } = await opened(() => open({ stopReason }))
    fake.next({ steps: [{ say: 'So far' }, { end: 'stop' }] })
    expect(await listen(provider)).toMatchObject({ ends: [reason], fault: undefined })
  })

  it('has not ended with its reason, but with its mark', async () => {
    const { fake, provider } = await opened(open)
    const reason = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } }
    fake.next({ steps: [{ say: 'So far' }, { raw: event('message_delta', reason) }] })
    expect(await listen(provider)).toMatchObject({ text: 'So far', ends: [] })
  })

  it('begins with what a text block begins with', async () => {
    const { fake, provider } = await opened(open)
    const block = { type: 'content_block_start', index: 1, content_block: { type: 'text', text: ' And so on.' } }
    fake.next({ steps: [{ say: 'So far.' }, { raw: event('content_block_start', block) }, { end: 'stop' }] })
    expect((await listen(provider)).text).toBe('So far. And so on.')
  })

  it.each([
    ['a tool', { type: 'input_json_delta', partial_json: '{"a":1}' }],
    ['a source', { type: 'citations_delta', citation: { cited_text: 'a book' } }],
    ['a kind of tomorrow', { type: 'mood_delta', text: 3, mood: 'good' }],
  ])('leaves out a delta of %s', async (_, other) => {
    const { fake, provider } = await opened(open)
    fake.next({ steps: [{ say: 'One' }, { raw: delta(other) }, { say: ' two' }, { end: 'stop' }] })
    expect(await listen(provider)).toMatchObject({ text: 'One two', fault: undefined })
  })
})

describe('The usage that Anthropic tells', () => {
  const cached = { written: 300, read: 2_000 }

  it('counts what the cache took and gave as asked', async () => {
    const { fake, provider } = await opened(() => open({ inputTokens: 12, cached }))
    fake.next({ steps: [{ say: 'Hello.' }, { end: 'stop' }] })
    const { totals } = await listen(provider)
    expect(totals.inputTokens).toBe(2_312)
  })

  it('is known of an answer that breaks off, as far as it was told: what was asked, not what was said', async () => {
    const { fake, provider } = await opened(() => open({ inputTokens: 12, cached }))
    fake.next({ steps: [{ say: 'Hello, and ' }, { wait: 20 }, { cut: true }] })
    const { totals, fault } = await listen(provider)
    expect(fault).toBeDefined()
    expect(totals).toEqual({ inputTokens: 2_312 })
  })

  it('is what the last event says, and of what it leaves out what the first one said', async () => {
    const { fake, provider } = await opened(() => open({ inputTokens: 12, cached }))
    const usage = { input_tokens: 20, cache_read_input_tokens: null, output_tokens: 9 }
    const last = { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage }
    const steps = [{ raw: event('message_delta', last) }, { raw: event('message_stop', { type: 'message_stop' }) }]
    fake.next({ steps })
    expect(await listen(provider)).toMatchObject({ totals: { inputTokens: 2_320, outputTokens: 9 }, ends: ['stop'] })
  })

  it('may be missing altogether, as gateways have it', async () => {
    const { fake, provider } = await opened(open)
    const body = [
      event('message_start', { type: 'message_start', message: { id: 'msg', usage: null } }),
      delta({ type: 'text_delta', text: 'Hello.' }),
      event('message_delta', { type: 'message_delta', delta: { stop_reason: 'end_turn' } }),
      event('message_stop', { type: 'message_stop' }),
    ].join('')
    fake.next({ body, headers: { 'content-type': 'text/event-stream' } })
    const { totals, ...said } = await listen(provider)
    expect(said).toMatchObject({ text: 'Hello.', ends: ['stop'], fault: undefined })
    expect(totals).toEqual({})
  })
})

describe('An error of Anthropic after 200', () => {
  it.each([
    ['overloaded_error', 'provider_overloaded', true],
    ['rate_limit_error', 'provider_overloaded', true],
    ['api_error', 'provider_error', true],
    ['timeout_error', 'provider_error', true],
    ['an_error_of_tomorrow', 'provider_error', true],
    ['invalid_request_error', 'provider_rejected', false],
    ['request_too_large', 'provider_rejected', false],
    ['authentication_error', 'provider_error', false],
    ['billing_error', 'provider_error', false],
  ] as const)('of the type %s is a fault with the code %s, worth another try: %s', async (type, code, retryable) => {
    const { fake, provider } = await opened(open)
    const said = event('error', { type: 'error', error: { type, message: 'a bad day' } })
    const script: Script = { steps: [{ say: 'So far' }, { raw: said }] }
    fake.next(script)
    expect(await listen(provider)).toMatchObject({ text: 'So far', ends: [], fault: { code, retryable } })
  })
})
