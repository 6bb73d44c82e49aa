import { answerId, type ChunkOutcome, sessionId, textOf, userId } from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDraft } from '../src/draft.ts'
import { spokenText } from '../src/spoken.ts'

const ref = { uid: userId('u'), sid: sessionId('s'), answerId: answerId('a'), seq: 2 }
const anyText = fc.string({
  unit: fc.constantFrom('a', ' ', 'é', '漢', '😀', '👩‍👩‍👧', '"', '\n', '\ud83d', '\ude00'),
  maxLength: 60,
})
/** Cuts anywhere, also between the halves of a character. */
const pieces = (text: string, cuts: readonly number[]) => {
  const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => text.slice(from, at[i] ?? text.length))
}

describe('what was said', () => {
  it('is the same however the provider cut it', () => {
    fc.assert(
      fc.property(anyText, fc.array(fc.nat(200)), (text, cuts) => {
        const spoken = spokenText(1_000_000)
        for (const piece of pieces(text, cuts)) spoken.add(piece)
        spoken.finish()
        expect(spoken.text).toBe(text.toWellFormed())
        expect(spoken.units).toBe(spoken.text.length)
      }),
    )
  })

  it('never has half a character, not even while the other half is on its way', () => {
    const spoken = spokenText(1_000)
    spoken.add('smile \ud83d')
    expect(spoken.text).toBe('smile ')
    spoken.add('\ude00')
    expect(spoken.text).toBe('smile 😀')
  })

  it('is never longer than its bound, and says when something is missing', () => {
    fc.assert(
      fc.property(anyText, fc.nat(120), fc.array(fc.nat(200)), (text, bound, cuts) => {
        const spoken = spokenText(bound)
        for (const piece of pieces(text, cuts)) spoken.add(piece)
        spoken.finish()
        const whole = text.toWellFormed()
        expect(whole.startsWith(spoken.text)).toBe(true)
        expect(Buffer.byteLength(spoken.text)).toBeLessThanOrEqual(bound)
        expect(spoken.full).toBe(spoken.text !== whole)
        expect(spoken.text.isWellFormed()).toBe(true)
      }),
    )
  })

  it('can be read from anywhere, however long it has become', () => {
    const spoken = spokenText(1_000_000)
    let all = ''
    for (let i = 0; i < 5_000; i++) {
      spoken.add(`${i},`)
      all += `${i},`
      if (i % 500 === 0) expect(spoken.from(i)).toBe(all.slice(i))
    }
    expect(spoken.from(all.length - 7)).toBe(all.slice(-7))
    spoken.truncate(10)
    spoken.add('!')
    expect(spoken.text).toBe(`${all.slice(0, 10)}!`)
  })
})

describe('a draft', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('say' as const), text: anyText }),
    fc.record({ kind: fc.constantFrom('accept' as const, 'lose' as const) }),
  )

  it('gives every index the same bytes for ever, and the chunks add up to what was said (R14)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const spoken = spokenText(1_000_000)
        const draft = createDraft(ref, 1, spoken)
        const seen = new Map<number, string>()
        const send = (outcome: ChunkOutcome | 'lost') => {
          const chunks = draft.freeze()
          for (const { index, chunk } of chunks) {
            const text = textOf([chunk])
            expect(seen.get(index) ?? text).toBe(text)
            expect(text.isWellFormed()).toBe(true)
            seen.set(index, text)
          }
          if (outcome !== 'lost') draft.settle(chunks.map(() => outcome))
        }
        for (const one of steps) {
          if (one.kind === 'say') spoken.add(one.text)
          else send(one.kind === 'accept' ? 'accepted' : 'lost')
        }
        spoken.finish()
        while (draft.unsentUnits > 0) send('accepted')
        expect([...seen.keys()]).toEqual(seen.size === 0 ? [] : Array.from({ length: seen.size }, (_, i) => i))
        expect([...seen.values()].join('')).toBe(spoken.text)
        expect(draft.accepted).toBe(spoken.text)
      }),
    )
  })

  it('cuts what is very long into chunks of 8 KB, never through a character', () => {
    const spoken = spokenText(1_000_000)
    spoken.add(`a${'😀'.repeat(20_000)}`)
    const draft = createDraft(ref, 1, spoken)
    const texts = draft.freeze().map(({ chunk }) => textOf([chunk]))
    expect(texts.length).toBeGreaterThan(9)
    for (const text of texts) {
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8_192)
      expect(text.isWellFormed()).toBe(true)
    }
    expect(texts.join('')).toBe(spoken.text)
  })

  it('cuts nothing in half where only the last place of a chunk is at stake', () => {
    const spoken = spokenText(1_000_000)
    spoken.add(`${'a'.repeat(8_191)}😀`)
    const draft = createDraft(ref, 1, spoken)
    expect(draft.freeze().map(({ chunk }) => textOf([chunk]).length)).toEqual([8_191, 2])
  })

  it('stops at the first refusal, and knows what was accepted until then', () => {
    const spoken = spokenText(1_000_000)
    const draft = createDraft(ref, 1, spoken)
    spoken.add('x'.repeat(20_000))
    expect(draft.freeze()).toHaveLength(3)
    expect(draft.settle(['accepted', 'full', 'gone'])).toBe('full')
    expect(draft.accepted).toHaveLength(8_192)
  })

  it('offers what was accepted for merging every 4 KB, each piece of it once', () => {
    const spoken = spokenText(1_000_000)
    const draft = createDraft(ref, 1, spoken)
    const segments = []
    for (let i = 0; i < 100; i++) {
      spoken.add(`${'x'.repeat(98)}\n `)
      draft.settle(draft.freeze().map(() => 'accepted'))
      const segment = draft.segment()
      if (!segment) continue
      // Until it is merged it is the same one.
      expect(draft.segment()).toEqual(segment)
      segments.push(segment)
      draft.merged(segment)
    }
    expect(segments.map(({ from, upTo }) => [from, upTo])).toEqual([
      [0, 41],
      [41, 82],
    ])
    expect(segments.map(({ packet }) => textOf([packet]).length)).toEqual([4_100, 4_100])
    expect(textOf(segments.map(({ packet }) => packet))).toBe(spoken.text.slice(0, 8_200))
  })

  it('offers segments of 4 to 8 KB, whatever the lengths of the chunks, and nothing twice', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 9_000 }), fc.boolean()), { maxLength: 40 }), (pieces) => {
        const spoken = spokenText(1_000_000)
        const draft = createDraft(ref, 1, spoken)
        const segments = []
        const said: string[] = []
        let chunks = 0
        for (const [length, wide] of pieces) {
          spoken.add((wide ? 'é' : 'x').repeat(length))
          const frozen = draft.freeze()
          said.push(...frozen.map(({ chunk }) => textOf([chunk])))
          chunks += frozen.length
          draft.settle(frozen.map(() => 'accepted'))
          for (let segment = draft.segment(); segment; segment = draft.segment()) {
            segments.push(segment)
            draft.merged(segment)
          }
        }
        let next = 0
        for (const { from, upTo, packet } of segments) {
          expect(from).toBe(next)
          expect(textOf([packet])).toBe(said.slice(from, upTo).join(''))
          const bytes = Buffer.byteLength(textOf([packet]))
          expect(bytes).toBeLessThanOrEqual(8_192)
          // Smaller only where the next chunk would have made it too long.
          const then = Buffer.byteLength(said[upTo] ?? '')
          expect(bytes >= 4_096 || bytes + then > 8_192).toBe(true)
          next = upTo
        }
        expect(next).toBeLessThanOrEqual(chunks)
        expect(Buffer.byteLength(said.slice(next).join(''))).toBeLessThan(4_096)
      }),
    )
  })
})
