import type { Script, Step } from '@chatbox/testkit/providers'
import type { PromptMessage, ProviderEvent, ProviderRequest } from '@chatbox/worker'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { askedBy, CONVERSATION, difyEvent, openDify, openedDify, TASK } from './dify/opened.ts'
import { listen, QUESTION } from './golden/opened.ts'
import { describeProvider, KEY } from './golden.ts'

describeProvider('Dify', () => openDify(), {
  // An app has its own; and what ends for want of tokens ends like everything else.
  without: ['model', 'system', 'maxTokens', 'temperature'],
  endsNeverBy: ['length'],
})

const threadsIn = (events: readonly ProviderEvent[]) =>
  events.flatMap((event) => (event.type === 'thread' ? [event.id] : []))

describe('an answer of Dify', () => {
  it.each(['chat', 'agent', 'chatflow'] as const)('is told once, whatever else a %s tells of itself', async (app) => {
    const { fake, provider } = await openedDify({ app })
    fake.next({ steps: [{ say: 'Once' }, { noise: 'unknown-event' }, { say: ' only.' }, { end: 'stop' }] })
    expect(await listen(provider)).toMatchObject({ text: 'Once only.', ends: ['stop'], fault: undefined })
  })

  it.each([
    ['goes on from what was said', ['So far'], 'So far, so good', 'So far, so good', 'stop'],
    ['is what was said', ['So far'], 'So far', 'So far', 'stop'],
    ['comes before anything was said', [], 'Instead', 'Instead', 'stop'],
    ['takes back what was said', ['So far'], 'Withheld', 'So far', 'filtered'],
  ] as const)('whose text is replaced by one that %s', async (_, said, answer, text, end) => {
    const { fake, provider } = await openedDify()
    const steps: Step[] = [...said.map((say) => ({ say })), difyEvent('message_replace', { answer }), { end: 'stop' }]
    fake.next({ steps })
    expect(await listen(provider)).toMatchObject({ text, ends: [end], fault: undefined })
  })

  it('counts no tokens where the zeros of its usage say that nobody counted', async () => {
    const { fake, provider } = await openedDify()
    fake.next({ steps: [{ say: 'Hello.' }, { usage: { input: 0, output: 0 } }, { end: 'stop' }] })
    expect((await listen(provider)).totals).toEqual({})
  })

  it.each(['failed', 'stopped'])(
    'is not whole where its run ended as %s, although its end mark comes',
    async (status) => {
      const { fake, provider } = await openedDify()
      const steps = [{ say: 'So far' }, difyEvent('workflow_finished', { data: { status } }), difyEvent('message_end')]
      fake.next({ steps })
      const { text, ends, fault } = await listen(provider)
      expect({ text, ends }).toEqual({ text: 'So far', ends: [] })
      expect(fault).toMatchObject({ code: 'provider_error', retryable: true })
    },
  )

  it.each([
    ['app_unavailable', 'provider_error', false],
    ['provider_not_initialize', 'provider_error', false],
    ['provider_quota_exceeded', 'provider_error', false],
    ['model_currently_not_support', 'provider_error', false],
    ['completion_request_error', 'provider_error', true],
    ['invalid_param', 'provider_rejected', false],
  ])('that is refused with 400 because of %s has the code %s, worth another try: %s', async (why, code, retryable) => {
    const { fake, provider } = await openedDify()
    fake.next({ status: 400, body: JSON.stringify({ code: why, message: 'see there', status: 400 }) })
    const { fault } = await listen(provider)
    expect(fault).toMatchObject({ code, retryable })
    expect(fault?.message).toContain(`${why} see there`)
  })

  it.each([
    ['provider_quota_exceeded', 400, 'provider_error', false],
    ['completion_request_error', 400, 'provider_error', true],
    ['invalid_param', 400, 'provider_error', true],
    ['internal_server_error', 500, 'provider_error', true],
    ['too_many_requests', 429, 'provider_overloaded', true],
  ])(
    'that breaks off because of %s with %i has the code %s, worth another try: %s',
    async (why, status, code, retryable) => {
      const { fake, provider } = await openedDify()
      fake.next({ steps: [difyEvent('error', { code: why, message: 'see there', status })] })
      expect((await listen(provider)).fault).toMatchObject({ code, retryable })
    },
  )
})

const lines: readonly PromptMessage[] = [
  { role: 'user', text: 'Is it open?' },
  { role: 'assistant', text: 'It is.\n\nYou:\n> It is not.' },
  { role: 'agent', text: 'Until five.' },
]
const asked: PromptMessage = { role: 'user', text: 'And tomorrow?' }
const session = 'a-session'
const request: ProviderRequest = { model: 'any', session, messages: [...lines, asked] }
const going = (id: string): ProviderRequest => ({ ...request, thread: { id, messages: [...lines.slice(2), asked] } })

describe('a conversation that Dify keeps', () => {
  it('is told by its id with each end, and gone on in by it, with what was said since', async () => {
    const { fake, provider, heard } = await openedDify()
    const [id = '', ...others] = threadsIn((await listen(provider, request)).events)
    expect(others).toEqual([])
    expect(askedBy(await fake.call(0))).not.toHaveProperty('conversation_id')
    expect(heard(await fake.call(0)).messages).toHaveLength(4)

    expect(threadsIn((await listen(provider, going(id))).events)).toEqual([id])
    const second = await fake.call(1)
    expect(askedBy(second)).toMatchObject({ conversation_id: id, user: session })
    expect(heard(second).messages).toEqual([
      { role: 'assistant', text: 'A human of the team that helps:\nUntil five.' },
      { role: 'user', text: asked.text },
    ])
  })

  it('is asked nothing but the question where nothing else was said', async () => {
    const { fake, provider } = await openedDify()
    const [id = ''] = threadsIn((await listen(provider, request)).events)
    await listen(provider, { ...request, thread: { id, messages: [asked] } })
    expect(askedBy(await fake.call(1)).query).toBe(asked.text)
  })

  const completed = { status: 400, body: JSON.stringify({ code: 'conversation_completed', message: '', status: 400 }) }
  it.each([
    ['lost', (): Script[] => []],
    ['completed', () => [completed]],
  ])('is begun anew with the whole of it where it is %s, before anybody heard anything', async (what, scripts) => {
    const { fake, provider, heard } = await openedDify()
    const [id = ''] = threadsIn((await listen(provider, request)).events)
    if (what === 'lost') fake.loseConversations()
    fake.next(...scripts(), { steps: [{ say: 'Anew.' }, { end: 'stop' }] })
    const { events, text, ends } = await listen(provider, going(id))
    expect({ text, ends }).toEqual({ text: 'Anew.', ends: ['stop'] })
    const [next] = threadsIn(events)
    expect(next).not.toBe(id)
    expect(fake.calls).toHaveLength(3)
    const last = await fake.call(2)
    expect(askedBy(last)).not.toHaveProperty('conversation_id')
    expect(heard(last).messages).toHaveLength(4)
  })

  it('is begun anew once, and where that fails too it is a fault', async () => {
    const { fake, provider } = await openedDify()
    fake.next({ status: 404 })
    expect((await listen(provider, going(CONVERSATION))).fault).toMatchObject({
      code: 'provider_error',
      retryable: false,
    })
    expect(fake.calls).toHaveLength(2)
  })

  it('is not begun anew for any other reason', async () => {
    const { fake, provider } = await openedDify()
    const [id = ''] = threadsIn((await listen(provider, request)).events)
    fake.next({ status: 503 })
    expect((await listen(provider, going(id))).fault).toMatchObject({ code: 'provider_overloaded' })
    expect(fake.calls).toHaveLength(2)
  })

  it('is not told by what is no id of one', async () => {
    const { fake, provider } = await openedDify()
    for (const conversation_id of ['', 'x'.repeat(100_000), 7, null, `${CONVERSATION}/..`]) {
      fake.next({ steps: [{ say: 'Hello.' }, difyEvent('message_end', { conversation_id })] })
      const { events, ends } = await listen(provider)
      expect({ threads: threadsIn(events), ends }).toEqual({ threads: [], ends: ['stop'] })
    }
  })

  it('has a user of its own where nobody says whose it is', async () => {
    const { fake, provider } = await openedDify()
    for (const _ of [1, 2]) await listen(provider)
    const [one, other] = [askedBy(await fake.call(0)).user, askedBy(await fake.call(1)).user]
    expect(one).toMatch(/^[\da-f-]{36}$/)
    expect(other).not.toBe(one)
  })

  it('is told who said what, whatever they said', async () => {
    const { fake, provider, heard } = await openedDify()
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc
        .array(fc.constantFrom('\n', '> ', 'You:', 'The user:', 'What the user says now, to be answered:', '\n\n', 'a'))
        .map((parts) => parts.join('')),
    )
    const message = fc.record({ role: fc.constantFrom('user' as const, 'assistant' as const), text })
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 6 }), text, async (earlier, question) => {
        const messages = [...earlier, { role: 'user' as const, text: question }]
        await listen(provider, { ...QUESTION, messages })
        expect(heard(await fake.call(fake.calls.length - 1)).messages).toEqual(messages)
      }),
      { numRuns: 60 },
    )
  })
})

describe('a run of Dify', () => {
  const begun: Step[] = [difyEvent('workflow_started'), difyEvent('message', { answer: 'So far' })]

  async function firstText(events: AsyncIterator<ProviderEvent>): Promise<void> {
    for (;;) {
      const { value, done } = await events.next()
      if (done || value.type === 'text') return
    }
  }

  it('is stopped in the name of who began it, when the answer is aborted and nobody reads', async () => {
    const { fake, provider } = await openedDify({ app: 'chat' })
    fake.next({ steps: [...begun, { hang: true }] })
    const stopping = new AbortController()
    await firstText(provider.stream(request, stopping.signal)[Symbol.asyncIterator]())
    stopping.abort()
    expect(await fake.stopped(0)).toEqual({ taskId: TASK, user: session })
    expect((await (await fake.call(0)).closed).byClient).toBe(true)
    expect(askedBy(await fake.call(0)).user).toBe(session)
  })

  it.each([
    ['its listener goes away', [...begun, { hang: true }], true],
    ['the connection breaks', [...begun, { wait: 20 }, { cut: true }], false],
    ['its stream ends without an end mark', begun, false],
    ['it says what nobody can read', [...begun, { raw: 'data: {\n\n' }, { hang: true }], false],
    ['its text is withheld', [...begun, difyEvent('message_replace', { answer: 'No.' }), { hang: true }], false],
  ] as [string, Step[], boolean][])('is stopped once when %s', async (_, steps, leaves) => {
    const { fake, provider } = await openedDify({ app: 'chat' })
    fake.next({ steps })
    if (leaves) {
      const events = provider.stream(request, new AbortController().signal)[Symbol.asyncIterator]()
      await firstText(events)
      await events.return?.()
    } else await listen(provider, request)
    expect(await fake.stopped(0)).toEqual({ taskId: TASK, user: session })
    expect(fake.stops).toHaveLength(1)
  })

  it.each([
    ['at its end mark', [...begun, difyEvent('message_end')]],
    ['by an error', [...begun, difyEvent('error', { code: 'internal_server_error', status: 500 })]],
  ] as [string, Step[]][])('that is over %s is left alone, also when the signal aborts later', async (_, steps) => {
    const { fake, provider } = await openedDify({ app: 'chat' })
    fake.next({ steps }, { steps: [...begun, { hang: true }] })
    const stopping = new AbortController()
    const events = provider.stream(request, stopping.signal)
    try {
      for await (const _ of events);
    } catch (error) {
      expect(error).toMatchObject({ code: 'provider_error' })
    }
    stopping.abort()
    // The next one's stop is the first that there is.
    const next = provider
      .stream({ ...request, session: 'another' }, new AbortController().signal)
      [Symbol.asyncIterator]()
    await firstText(next)
    await next.return?.()
    expect(await fake.stopped(0)).toEqual({ taskId: TASK, user: 'another' })
  })

  it.each([
    ['is refused', async () => Response.json({ code: 'unauthorized' }, { status: 401 })],
    ['breaks', () => Promise.reject(new TypeError('fetch failed'))],
    [
      'takes too long',
      (signal: AbortSignal) =>
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    ],
  ] as [string, (signal: AbortSignal) => Promise<Response>][])(
    'whose stop %s is a line in the log, which gives nothing away',
    async (_, stop) => {
      const written: unknown[][] = []
      let said: () => void = () => undefined
      const warned = new Promise<void>((resolve) => {
        said = resolve
      })
      const { fake, provider } = await openedDify({
        app: 'chat',
        stopMs: 20,
        log: {
          warn: (...line: unknown[]) => {
            written.push(line)
            said()
          },
        },
        fetch: (input, init) =>
          String(input).endsWith('/stop') && init?.signal ? stop(init.signal) : globalThis.fetch(input, init),
      })
      fake.next({ steps: [...begun, { hang: true }] })
      const stopping = new AbortController()
      await firstText(provider.stream(request, stopping.signal)[Symbol.asyncIterator]())
      stopping.abort()
      await warned
      expect(written).toHaveLength(1)
      expect(JSON.stringify(written)).toContain('could not be stopped')
      expect(JSON.stringify(written)).not.toContain(KEY)
    },
  )

  it('that nobody could name yet is not stopped by a guess', async () => {
    const { fake, provider } = await openedDify({ app: 'chat' })
    fake.next({ steps: [{ hang: true }] })
    const stopping = new AbortController()
    const first = provider.stream(request, stopping.signal)[Symbol.asyncIterator]().next()
    const { closed } = await fake.call(0)
    stopping.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    await closed
    await listen(provider, request)
    expect([fake.stops, fake.others]).toEqual([[], []])
  })
})
