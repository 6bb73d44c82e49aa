import type { Step } from '@chatbox/testkit/providers'
import type { FinishReason } from '@chatbox/worker'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Differs, listen, type Open, opened, QUESTION } from './opened.ts'

const REASONS: readonly FinishReason[] = ['stop', 'length', 'filtered']

const says = (...texts: readonly string[]): Step[] => texts.map((say) => ({ say }))

/** What comes back when nothing goes wrong. */
export function answers(open: Open, { endsNeverBy = [] }: Differs): void {
  it('tells the text piece by piece, then the usage, then the end', async () => {
    const { fake, provider } = await opened(open)
    fake.next({ steps: [...says('Hel', 'lo', ' there.'), { usage: { input: 12, output: 5 } }, { end: 'stop' }] })
    const said = await listen(provider)
    expect(said).toMatchObject({ text: 'Hello there.', ends: ['stop'], totals: { inputTokens: 12, outputTokens: 5 } })
    expect(said.events.filter(({ type }) => type === 'text')).toHaveLength(3)
    expect(said.events.at(-1)).toEqual({ type: 'end', reason: 'stop' })
  })

  it('tells a piece as soon as it came', async () => {
    const { fake, provider } = await opened(open)
    let goOn: () => void = () => undefined
    const wait = new Promise<void>((resolve) => {
      goOn = resolve
    })
    fake.next({ steps: [{ say: 'first' }, { wait }, { say: ' second' }, { end: 'stop' }] })
    let text = ''
    for await (const event of provider.stream(QUESTION, new AbortController().signal)) {
      if (event.type !== 'text') continue
      text += event.text
      // The fake says no more until this piece was heard.
      goOn()
    }
    expect(text).toBe('first second')
  })

  it('makes up no usage that the vendor did not tell', async () => {
    const { fake, provider } = await opened(open)
    fake.next({ steps: [...says('Hello.'), { end: 'stop' }] })
    expect(await listen(provider)).toMatchObject({ text: 'Hello.', totals: {}, ends: ['stop'] })
  })

  for (const reason of REASONS.filter((reason) => !endsNeverBy.includes(reason))) {
    it(`tells that the end was: ${reason}`, async () => {
      const { fake, provider } = await opened(open)
      fake.next({ steps: [...says('So far'), { end: reason }] })
      expect(await listen(provider)).toMatchObject({ text: 'So far', ends: [reason], fault: undefined })
    })
  }

  it('tells the same text wherever the bytes of the stream are cut, and whatever its lines end in', async () => {
    const { fake, provider } = await opened(open)
    const pieces = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { maxLength: 4 })
    // Smaller parts take longer than anything else here; all of them are tried where the stream is read.
    const cutAt = fc.integer({ min: 5, max: 300 })
    const newline = fc.constantFrom('\n' as const, '\r\n' as const)
    await fc.assert(
      fc.asyncProperty(pieces, cutAt, newline, async (texts, cutAt, newline) => {
        fake.next({ steps: [...says(...texts), { end: 'stop' }], cutAt, newline })
        expect(await listen(provider)).toMatchObject({ text: texts.join(''), ends: ['stop'], fault: undefined })
      }),
      { numRuns: 20, examples: [[['é👩‍👩‍👧', '漢字'], 1, '\r\n']] },
    )
  })

  it('puts a character together whose halves came in two pieces', async () => {
    const { fake, provider } = await opened(open)
    const [high = '', low = ''] = '🙂'.split('')
    fake.next({ steps: [...says(`a${high}`, `${low}b`), { end: 'stop' }] })
    expect((await listen(provider)).text).toBe('a🙂b')
  })

  it('passes over comments, pings and events that it does not know, at every place', async () => {
    const { fake, provider } = await opened(open)
    const noise: Step[] = [{ noise: 'comment' }, { noise: 'ping' }, { noise: 'unknown-event' }]
    const steps = [...noise, ...says('One'), ...noise, ...says(' two'), ...noise, { end: 'stop' } as const]
    for (const newline of ['\n', '\r\n'] as const) {
      fake.next({ steps, newline }, { steps, newline, cutAt: 7 })
      for (const _ of [1, 2]) expect(await listen(provider)).toMatchObject({ text: 'One two', ends: ['stop'] })
    }
  })

  it('does not take words for the marks of the protocol', async () => {
    const { fake, provider } = await opened(open)
    const text = 'data: [DONE]\n\nevent: error\ndata: {"error":{"message":"no"}}\r\n\r\n: comment\n\n\u2028\0'
    fake.next({ steps: [...says(text, text), { end: 'stop' }] })
    expect(await listen(provider)).toMatchObject({ text: text + text, ends: ['stop'] })
  })

  it('brings 100 KB, in one piece and in a thousand', async () => {
    const { fake, provider } = await opened(open)
    const piece = 'ünd so wäiter 🙂 '.repeat(5)
    const pieces = Array.from({ length: 1_000 }, () => piece)
    fake.next({ steps: [...says(...pieces), { end: 'stop' }] }, { steps: [{ say: pieces.join('') }, { end: 'stop' }] })
    for (const _ of [1, 2]) {
      const { text, ends } = await listen(provider)
      expect(text === pieces.join('')).toBe(true)
      expect(ends).toEqual(['stop'])
    }
  })

  it('hears a slow drip to its end', async () => {
    const { fake, provider } = await opened(open)
    const drip = Array.from('drop by drop').flatMap((say): Step[] => [{ say }, { wait: 15 }])
    fake.next({ steps: [...drip, { end: 'stop' }], cutAt: 50, beforeHeaders: 30 })
    expect(await listen(provider)).toMatchObject({ text: 'drop by drop', ends: ['stop'] })
  })

  it('keeps answers apart that are given at once', async () => {
    const { fake, provider } = await opened(open)
    const names = Array.from({ length: 20 }, (_, i) => `answer ${i} `)
    fake.always(({ body }) => {
      const name = names.find((name) => JSON.stringify(body).includes(name)) ?? 'none'
      return { steps: [...says(...Array.from({ length: 10 }, () => name)), { end: 'stop' }], cutAt: 17 }
    })
    const all = await Promise.all(
      names.map((name) => listen(provider, { ...QUESTION, messages: [{ role: 'user', text: name }] })),
    )
    expect(all.map(({ text }) => text)).toEqual(names.map((name) => name.repeat(10)))
  })

  it('is asked again over the same connections, although its listeners leave with the end mark', async () => {
    const { fake, provider } = await opened(open)
    for (let i = 0; i < 10; i += 1) {
      for await (const event of provider.stream(QUESTION, new AbortController().signal)) {
        if (event.type === 'end') break
      }
    }
    expect(fake.calls).toHaveLength(10)
    // A question may come in the moment before the pool has its connection back, and is given a second one.
    expect(fake.connections).toBeLessThanOrEqual(2)
  })
}
