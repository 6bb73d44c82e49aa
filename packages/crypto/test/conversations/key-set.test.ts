import { createSecretKey, randomBytes } from 'node:crypto'
import { Unopenable } from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeKeys, encodeKeys, type KeySet, type SessionKey } from '../../src/conversations/key-set.ts'

const key: fc.Arbitrary<SessionKey> = fc
  .record({
    number: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    bytes: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    madeUnder: fc.stringMatching(/^[A-Za-z0-9_-]{0,64}$/),
    supersededAt: fc.option(fc.integer({ min: 1, max: 2 ** 48 - 1 }), { nil: undefined }),
  })
  .map(({ bytes, supersededAt, ...rest }) => ({
    ...rest,
    secret: createSecretKey(bytes),
    ...(supersededAt !== undefined && { supersededAt }),
  }))
const keys = fc
  .array(key, { minLength: 1, maxLength: 5 })
  .map(([first, ...others]): KeySet | undefined => first && [first, ...others])
  .filter((set) => set !== undefined)

const plain = (set: KeySet) => set.map(({ secret, ...rest }) => ({ ...rest, bytes: secret.export().toString('hex') }))

describe('the data keys of a session', () => {
  it('are the same when they have been written and read', () => {
    fc.assert(
      fc.property(keys, (set) => {
        expect(plain(decodeKeys(encodeKeys(set)))).toEqual(plain(set))
      }),
    )
  })

  it('are refused where anything of them is missing, or too much, or of another version', () => {
    fc.assert(
      fc.property(keys, fc.nat(), (set, n) => {
        const bytes = encodeKeys(set)
        const short = bytes.subarray(0, n % bytes.length)
        const [, ...others] = bytes
        for (const wrong of [short, [...bytes, 0], [2, ...others]].map((some) => Uint8Array.from(some))) {
          // That long is a key alone, and those that end with one of the keys are a set.
          if (wrong.length === 32 || isSet(wrong)) continue
          expect(() => decodeKeys(wrong)).toThrow(Unopenable)
        }
        function isSet(some: Uint8Array): boolean {
          return set.some((_, i) => i > 0 && Buffer.compare(encodeKeys(firstOf(set, i)), some) === 0)
        }
      }),
    )
  })

  it('may be one alone, as in rows from before there were several', async () => {
    const bytes = randomBytes(32)
    expect(plain(decodeKeys(bytes))).toEqual([{ number: 1, madeUnder: '', bytes: bytes.toString('hex') }])
  })
})

const firstOf = ([first, ...others]: KeySet, count: number): KeySet => [first, ...others.slice(0, count - 1)]
