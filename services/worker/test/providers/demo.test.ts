import { userId } from '@chatbox/core'
import { demoProvider, type PromptMessage, type ProviderEvent, ProviderFault } from '@chatbox/worker'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seeded } from '../../src/providers/demo/seeded.ts'
import { house } from '../support/house.ts'

const fast = () => demoProvider({ seed: 1, pace: 0 })
const live = () => new AbortController().signal

async function eventsOf(question: string, earlier: readonly PromptMessage[] = [], provider = fast()) {
  const events: ProviderEvent[] = []
  const messages: PromptMessage[] = [...earlier, { role: 'user', text: question }]
  for await (const event of provider.stream({ model: 'demo', messages }, live())) events.push(event)
  return events
}

const textOf = (events: readonly ProviderEvent[]) =>
  events.map((event) => (event.type === 'text' ? event.text : '')).join('')
const textFor = async (question: string, earlier: readonly PromptMessage[] = []) =>
  textOf(await eventsOf(question, earlier))

/** Milliseconds that it would have waited. */
async function pausesFor(question: string): Promise<number> {
  let waited = 0
  const sleep = async (ms: number) => {
    waited += ms
  }
  await eventsOf(question, [], demoProvider({ seed: 3, sleep }))
  return waited
}

describe('the demo provider', () => {
  it('speaks word by word, tells its usage, and ends with its own mark', async () => {
    const events = await eventsOf('hello')
    expect(events.at(-1)).toEqual({ type: 'end', reason: 'stop' })
    expect(events.at(-2)).toMatchObject({
      type: 'usage',
      inputTokens: expect.any(Number),
      outputTokens: expect.any(Number),
    })
    expect(events.filter(({ type }) => type === 'text').length).toBeGreaterThan(30)
    expect(textOf(events)).toMatch(/^Hello, and welcome/)
  })

  for (const [question, expected] of [
    ['What is Chatbox?', /lets a website talk to its users/],
    ['How does it work?', /four services/],
    ['What can I try next?', /two tabs|second tab/],
    ['Is my data encrypted?', /AES-256-GCM/],
    ['Which LLM provider do you use?', /no language model/],
    ['How do I install and run it?', /npm start/],
    ['Can I embed the widget on my website?', /PROTOCOL\.md/],
    ['What if my phone goes offline?', /position/],
    ['Can I cancel an answer?', /kept, and marked as cancelled/],
    ['What if it crashes?', /exactly one end/],
    ['how long does it take?', /four services|prepared answers/],
    ['zxcvb', /recognised none/],
    ['', /recognised none/],
  ] as const) {
    it(`has something to say about: ${question || '(nothing)'}`, async () => {
      expect(await textFor(question)).toMatch(expected)
    })
  }

  it('knows what was said before', async () => {
    const earlier: PromptMessage[] = [
      { role: 'user', text: 'My name is\nGrace.' },
      { role: 'assistant', text: 'Hello' },
      { role: 'user', text: 'x'.repeat(400) },
    ]
    const text = await textFor('What did I say?', earlier)
    expect(text).toContain('1. “My name is Grace.”')
    expect(text).toContain(`2. “${'x'.repeat(160)}…”`)
    expect(text).not.toContain('Hello')
    expect(await textFor('What did I say?')).toContain('first message')
  })

  it('is long when asked: over 2 000 words under headings', async () => {
    const text = await textFor('Please give me a long answer')
    expect(text.split(/\s+/).length).toBeGreaterThanOrEqual(2_000)
    expect(text.match(/^## /gm)?.length).toBeGreaterThan(8)
  })

  it('shows code and formatting when asked', async () => {
    expect(await textFor('show me some code')).toMatch(/```ts\n[\s\S]+\n```/)
    for (const word of ['table', 'markdown']) expect(await textFor(word)).toMatch(/\|:--\|--:\|/)
  })

  it('fails after some words, once and for all', async () => {
    const events: ProviderEvent[] = []
    const failing = (async () => {
      for await (const event of fast().stream({ model: 'demo', messages: [{ role: 'user', text: 'fail' }] }, live()))
        events.push(event)
    })()
    await expect(failing).rejects.toMatchObject({ code: 'provider_error', retryable: false })
    expect(textOf(events).split(' ').length).toBeGreaterThan(10)
    expect(events.some(({ type }) => type === 'end')).toBe(false)
  })

  it('refuses when asked', async () => {
    await expect(eventsOf('please refuse')).rejects.toBeInstanceOf(ProviderFault)
    await expect(eventsOf('please refuse')).rejects.toMatchObject({ code: 'provider_rejected' })
  })

  it('hangs when asked, until its signal aborts', async () => {
    const stopping = new AbortController()
    const stream = fast().stream({ model: 'demo', messages: [{ role: 'user', text: 'hang' }] }, stopping.signal)
    const first = stream[Symbol.asyncIterator]().next()
    stopping.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
  })

  it('takes its time when asked to be slow', async () => {
    expect(await pausesFor('slow thanks')).toBeGreaterThan(2 * (await pausesFor('thanks')))
  })

  it.each(['slow', 'Answer slowly', 'Answer slowly, please'])(
    'asked for no more than "%s" tells what to do meanwhile',
    async (question) => {
      const text = await textFor(question)
      expect(text).toMatch(/on purpose/)
      for (const idea of [/Reload this page/, /second tab/, /press \*Stop\*/]) expect(text).toMatch(idea)
      expect(text).not.toMatch(/recognised none/)
      expect(await textFor('Slowly: what is Chatbox?')).toMatch(/lets a website talk to its users/)
    },
  )

  it.each([
    ['slow', 8, 40],
    ['long', 60, 120],
    // An answer may take five minutes in all.
    ['slow long', 120, 180],
  ] as const)('asked for "%s" pauses for at least %i and at most %i seconds', async (question, least, most) => {
    const waited = await pausesFor(question)
    expect(waited / 1_000).toBeGreaterThan(least)
    expect(waited / 1_000).toBeLessThan(most)
  })

  it('has the same pauses for the same seed', () => {
    const numbers = (seed: number) => Array.from({ length: 50 }, seeded(seed))
    expect(numbers(7)).toEqual(numbers(7))
    expect(numbers(7)).not.toEqual(numbers(8))
    expect(numbers(7).every((number) => number >= 0 && number < 1)).toBe(true)
  })

  it('stops speaking at once when its signal aborts', async () => {
    const stopping = new AbortController()
    const stream = demoProvider({ pace: 100 }).stream(
      { model: 'demo', messages: [{ role: 'user', text: 'hello' }] },
      stopping.signal,
    )
    const first = stream[Symbol.asyncIterator]().next()
    stopping.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
  })

  it('keeps to the most tokens that were asked for, and says so', async () => {
    const events: ProviderEvent[] = []
    const request = { model: 'demo', messages: [{ role: 'user', text: 'hello' }], maxTokens: 12 } as const
    for await (const event of fast().stream(request, live())) events.push(event)
    expect(events.at(-1)).toEqual({ type: 'end', reason: 'length' })
    expect(textOf(events).split(' ').length).toBeLessThan(14)
  })

  it('answers anything without a fault of its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), async (question) => {
        if (/fail|refuse|hang/i.test(question)) return
        expect((await textFor(question)).length).toBeGreaterThan(50)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the demo provider in a worker', () => {
  it.each([
    ['hello', 'done', undefined],
    ['fail', 'failed', 'provider_error'],
    ['refuse', 'failed', 'provider_rejected'],
    ['hang', 'failed', 'provider_timeout'],
  ] as const)('asked to "%s" ends as %s', async (question, status, error) => {
    const { ask, worker, ended, models } = await house()
    models.set('demo', { provider: fast(), name: 'demo', contextTokens: 4_000 })
    await worker({ times: { firstTokenMs: 100 } })
    const answer = await ended(await ask(question, { modelId: 'demo' }))
    expect(answer.status).toBe(status)
    expect(answer.error).toBe(error)
    expect(answer.usage?.estimated ?? false).toBe(status === 'failed' && error !== 'provider_rejected')
  })

  it('can be stopped in the middle of a long answer', async () => {
    const { ask, worker, ended, models, device, fabric } = await house()
    models.set('demo', { provider: demoProvider({ seed: 2, pace: 0.1 }), name: 'demo', contextTokens: 4_000 })
    await worker()
    const uid = userId('somebody')
    const screen = await device(uid)
    const asked = await ask('a long one', { modelId: 'demo', uid })
    await screen.frame(() => screen.text.includes('key press'))
    await fabric.answers.cancel(asked)
    const answer = await ended(asked)
    expect(answer.status).toBe('cancelled')
    expect(answer.text).toMatch(/^# From your key press/)
    expect(answer.text?.length).toBeLessThan(10_000)
  })
})
