import { ProviderFault } from '@chatbox/worker'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withoutWords } from '../src/without-words.ts'
import { house } from './support/house.ts'

describe('a sentence of a vendor without what people said (X4)', () => {
  it('keeps what the vendor says itself, and masks what it quotes, also in part', () => {
    const said = ['My daughter Mira was born on the third of May.', 'Oslo', 'no']
    expect(withoutWords("messages.0: 'My daughter Mira was' is too long", said)).toBe(
      "messages.0: '[words]' is too long",
    )
    expect(withoutWords('no route for "Oslo": try another', said)).toBe('no route for "[words]": try another')
    expect(withoutWords('429: slow down', said)).toBe('429: slow down')
    expect(withoutWords('', said)).toBe('')
  })

  it('masks each line of a quotation that was escaped on its way', () => {
    const said = ['first secret line\nsecond secret line']
    expect(withoutWords(`bad input: ${JSON.stringify(said[0])}`, said)).toBe('bad input: "[words]\\n[words]"')
  })

  it('masks a quotation whose characters were escaped on their way, once or twice', () => {
    const said = ['Моя дочь родилась третьего мая 🎂']
    const ascii = (text = '') =>
      text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    const once = JSON.stringify({ input: said[0] })
    expect(withoutWords(`bad: ${ascii(once)}`, said)).toBe('bad: {"input":"[words]"}')
    expect(withoutWords(`bad: ${JSON.stringify(ascii(said[0]))}`, said)).toBe('bad: "[words]"')
    expect(withoutWords(`bad: ${ascii('Ответ')}`, said)).toBe('bad: Ответ')
  })

  it('leaves no passage of eight characters, wherever it stands', () => {
    const around = fc.string({ maxLength: 60 })
    const words = fc.string({ minLength: 8, maxLength: 30 })
    fc.assert(
      fc.property(around, words, around, fc.nat(), (before, said, after, from) => {
        const start = from % (said.length - 7)
        const quoted = said.slice(start, start + 8)
        const clear = withoutWords(before + quoted + after, [said])
        expect(clear.split('[words]').some((part) => part.includes(quoted))).toBe(false)
      }),
    )
  })

  it('is the one that looking for every passage in every message gives', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ж', '🎂'), maxLength: 40 })
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 4 }), (sentence, said) => {
        expect(withoutWords(sentence, said)).toBe(plainly(sentence, said))
      }),
      { numRuns: 1_000 },
    )
  })
})

function plainly(sentence: string, said: readonly string[]): string {
  const masked = new Set<number>()
  for (const words of said) {
    const size = Math.min(8, words.length)
    for (let at = 0; size >= 4 && at + size <= sentence.length; at++) {
      if (words.includes(sentence.slice(at, at + size))) for (let i = at; i < at + size; i++) masked.add(i)
    }
  }
  return Array.from({ length: sentence.length }, (_, at) =>
    !masked.has(at) ? sentence.charAt(at) : masked.has(at - 1) ? '' : '[words]',
  ).join('')
}

it('is what the log has of a provider that quotes what it was asked', async () => {
  const { ask, worker, provider, ended, answerOf, logLines } = await house()
  await worker()
  const asked = await ask('the marmalade is under the stairs')
  const call = await provider.call(0)
  call.fail(new ProviderFault('provider_rejected', "refused: 'marmalade is under' may not be said"))
  expect((await ended(asked)).status).toBe('failed')
  const line = logLines.find((one) => one.includes('a provider failed'))
  expect(JSON.parse(line ?? '{}')).toMatchObject({ modelId: (await answerOf(asked))?.modelId, provider: 'scripted' })
  expect(line).toContain("refused: '[words]' may not be said")
  expect(logLines.join('')).not.toContain('marmalade')
})

it('is what the log has of a provider that quotes what it had said itself', async () => {
  const { ask, worker, provider, ended, logLines } = await house()
  await worker()
  const asked = await ask('where is it?')
  const call = await provider.call(0)
  call.say('the marmalade ', 'is under the stairs')
  call.fail(new ProviderFault('provider_rejected', "withheld: 'marmalade is under the stairs' may not be said"))
  expect((await ended(asked)).status).toBe('failed')
  expect(logLines.join('')).toContain("withheld: '[words]' may not be said")
  expect(logLines.join('')).not.toContain('marmalade')
})
