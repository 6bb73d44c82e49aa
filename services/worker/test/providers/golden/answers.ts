import { ANSWERS, type Step } from '@chatbox/testkit/providers'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Differs, listen, type Open, opened, QUESTION } from './opened.ts'

const says = (...texts: readonly string[]): Step[] => texts.map((say) => ({ say }))

/** What comes back when nothing goes wrong. */
export function answers(open: Open, { endsNeverBy = [], alwaysTells }: Differs): void {
  for (const { name, script, text, end, usage } of ANSWERS.filter(({ end }) => !endsNeverBy.includes(end))) {
    it(`brings ${name}`, async () => {
      const { fake, provider } = await opened(open)
      fake.next(script)
      const said = await listen(provider)
      expect(said.text === text, 'the text is not the one that was said').toBe(true)
      expect({ ends: said.ends, fault: said.fault }).toEqual({ ends: [end], fault: undefined })
      expect(said.events.at(-1)?.type).toBe('end')
      if (usage) expect(said.totals).toEqual(usage)
    })
  }

  it('tells the text piece by piece, then the usage, then the end', async () => {
    const { fake, provider } = await opened(open)
    fake.next({ steps: [...says('Hel', 'lo', ' there.'), { usage: { input: 12, output: 5 } }, { end: 'stop' }] })
    const { events } = await listen(provider)
    expect(events.filter(({ type }) => type === 'text')).toHaveLength(3)
    expect(events.at(-1)).toEqual({ type: 'end', reason: 'stop' })
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
    const { whole = {}, broken = {} } = alwaysTells ?? {}
    // Not even a count of zero, which would be taken at its word.
    fake.next(
      { steps: [...says('Hello.'), { end: 'stop' }] },
      { steps: [...says('Hello.'), { wait: 20 }, { cut: true }] },
    )
    expect((await listen(provider)).totals).toEqual(whole)
    expect((await listen(provider)).totals).toEqual(broken)
  })

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
      { numRuns: 20 },
    )
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
