import { closeCodes, afterClose as protocolSays } from '@chatbox/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBackoff } from '../src/backoff.ts'
import { afterClose, reasonOf } from '../src/close-codes.ts'

test('the client does after every code what the protocol says', () => {
  for (const { code } of Object.values(closeCodes)) expect([code, afterClose(code)]).toEqual([code, protocolSays(code)])
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 1000, max: 4999 }), fc.integer({ min: 3990, max: 4310 })), (code) => {
      expect(afterClose(code)).toBe(protocolSays(code))
    }),
    { numRuns: 2_000 },
  )
})

test('a client that stays away says why by the name of the protocol', () => {
  for (const [name, { code, after }] of Object.entries(closeCodes)) {
    if (after !== 'reconnect') expect(reasonOf(code, 'something else')).toBe(name)
  }
  expect(reasonOf(4222, 'made up later')).toBe('made up later')
  expect(reasonOf(4222, '')).toBe('code_4222')
})

test('delays are anywhere below a cap that doubles from base to its end', () => {
  const options = { backoffBaseMs: 1_000, backoffCapMs: 30_000 }
  const almost = createBackoff(options, () => 1)
  const caps = Array.from({ length: 7 }, () => almost.next())
  expect(caps).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  almost.reset()
  expect(almost.next()).toBe(1_000)
  const never = createBackoff(options, () => 0)
  expect([never.next(), never.next()]).toEqual([0, 0])
  const long = createBackoff(options, () => 1)
  for (let tries = 0; tries < 5_000; tries++) expect(long.next()).toBeLessThanOrEqual(30_000)
})
