import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePosition, encodePosition, sameLog } from '../src/index.ts'

const part = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const position = fc.record({ log: part, run: part, offset: fc.nat({ max: Number.MAX_SAFE_INTEGER }) })

describe('a position', () => {
  it('survives the way to a client and back, within the length that the protocol allows', () => {
    fc.assert(
      fc.property(position, (place) => {
        const at = encodePosition(place)
        expect(decodePosition(at)).toEqual(place)
        expect(at.length).toBeLessThanOrEqual(200)
      }),
    )
  })

  it('is nothing, and no exception, for whatever else a client sends', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `${text}.run.1`),
        ),
        (text) => {
          const place = decodePosition(text)
          if (place) expect(encodePosition(place)).toBe(text)
        },
      ),
    )
    for (const text of [
      '',
      'a.b',
      'a.b.c.d',
      'a.b.-1',
      'a.b.zzzzzzzzzzzz',
      'a..1',
      '.b.1',
      'a b.c.1',
      'a.b.1.',
      'a.b.01',
    ]) {
      expect([text, decodePosition(text)]).toEqual([text, undefined])
    }
  })

  it('of another log, or another run of the store, is another place', () => {
    const here = { log: 'l', run: 'r', offset: 1 }
    expect(sameLog(here, { ...here, offset: 9 })).toBe(true)
    expect(sameLog(here, { ...here, log: 'x' })).toBe(false)
    expect(sameLog(here, { ...here, run: 'x' })).toBe(false)
  })
})
