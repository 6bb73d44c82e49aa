import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sanitise } from '../src/index.ts'

describe('sanitised text (M8)', () => {
  test.each([
    ['NUL', 'a\u0000b', 'ab'],
    ['bell and escape', '\u0007a\u001b[31mb', 'a[31mb'],
    ['vertical tab and form feed', 'a\u000b\u000cb', 'ab'],
    ['delete', 'a\u007fb', 'ab'],
    ['C1, next line among them', 'a\u0080\u0085\u009fb', 'ab'],
    ['tab and line feed stay', 'a\tb\nc', 'a\tb\nc'],
    ['CR LF becomes LF', 'a\r\nb\r\n\r\nc', 'a\nb\n\nc'],
    ['CR alone becomes LF', 'a\rb\r\rc', 'a\nb\n\nc'],
    ['white space at both ends', ' \t\n\u00a0\u3000\ufeff a b \u2028\u2029 \r\n', 'a b'],
    ['white space behind control characters', '\u0000 a \u0000', 'a'],
    ['nothing but white space', ' \r\n\t ', ''],
    ['a lone high surrogate', 'a\ud83db', 'a\ufffdb'],
    ['a lone low surrogate', 'a\udc4db', 'a\ufffdb'],
    ['halves that a control character keeps apart', '\ud83d\u0000\udc4d', '\ufffd\ufffd'],
    ['a pair', '👍', '👍'],
    ['bidirectional marks and joiners', 'a\u202eb\u200dc', 'a\u202eb\u200dc'],
    ['HTML', '<b onclick="x">&amp;</b>', '<b onclick="x">&amp;</b>'],
    ['first characters beyond C1', '\u00a1\u00ad', '\u00a1\u00ad'],
  ])('%s', (_, text, kept) => {
    expect(sanitise(text)).toBe(kept)
  })

  const any = fc.oneof(
    fc.string({ unit: 'binary' }),
    // Every unit of UTF-16, so lone surrogates too, and often a control character.
    fc
      .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 0xa0 })))
      .map((units) => String.fromCharCode(...units)),
  )

  test('once more changes nothing, and nothing is left that must go', () => {
    fc.assert(
      fc.property(any, (text) => {
        const once = sanitise(text)
        expect(sanitise(once)).toBe(once)
        expect(once.isWellFormed()).toBe(true)
        expect(once).toBe(once.trim())
        for (const character of once) {
          const code = character.codePointAt(0) ?? 0
          const control = code < 0x20 || (code >= 0x7f && code <= 0x9f)
          expect(control && character !== '\t' && character !== '\n').toBe(false)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('text does not grow, so that what was within a limit stays within it', () => {
    fc.assert(
      fc.property(any, (text) => {
        expect(Buffer.byteLength(sanitise(text))).toBeLessThanOrEqual(Buffer.byteLength(text))
      }),
    )
  })
})
