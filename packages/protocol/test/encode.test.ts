import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  encodeFrame,
  errorCodeList,
  errorCodes,
  errorFrameOf,
  errorViewOf,
  isErrorCode,
  type ServerFrame,
  type ServerFrameType,
  serverFrames,
  withOwner,
  withPosition,
} from '../src/index.ts'
import { serverFrame, serverFrameOf } from './support/arbitraries.ts'

const read = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
/** As JSON sees it: lone surrogates and the like are the same on both sides. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('encodeFrame', () => {
  test.each(Object.keys(serverFrameOf) as ServerFrameType[])('what %s becomes holds to its schema', (type) => {
    fc.assert(
      fc.property(serverFrameOf[type] as fc.Arbitrary<ServerFrame>, (frame) => {
        const received = read(encodeFrame(frame))
        expect(received).toEqual(plain(frame))
        expect(serverFrames[type].parse(received)).toEqual(received)
      }),
      { numRuns: 200 },
    )
  })

  test('writes bytes that are one JSON object, without a byte order mark or white space around it', () => {
    fc.assert(
      fc.property(serverFrame, (frame) => {
        const bytes = encodeFrame(frame)
        expect([bytes[0], bytes.at(-1)]).toEqual([0x7b, 0x7d])
      }),
    )
  })

  test('text with lone surrogates still becomes valid UTF-8', () => {
    const frame = { type: 'notice', code: 'shutdown', message: 'a\ud800b' } as const
    expect(read(encodeFrame(frame))).toEqual(frame)
  })

  test('bytes once written stay as they are, however many follow', () => {
    const frames = Array.from({ length: 2_000 }, (_, ts) => ({ type: 'pong', ts, requestId: `r${ts}` }) as const)
    const written = frames.map((frame) => withPosition(encodeFrame(frame), `l.r.${frame.ts}`))
    expect(written.map(read)).toEqual(frames.map((frame) => ({ at: `l.r.${frame.ts}`, ...frame })))
  })
})

describe.each([
  ['withPosition', withPosition, 'at'],
  ['withOwner', withOwner, 'of'],
] as const)('%s', (_, prefixed, field) => {
  const without = serverFrame.filter((frame) => !(field in frame))

  test('gives the frame with one field more', () => {
    fc.assert(
      fc.property(without, fc.string({ unit: 'binary', maxLength: 200 }), (frame, value) => {
        expect(read(prefixed(encodeFrame(frame), value))).toEqual(plain({ ...frame, [field]: value }))
      }),
      { numRuns: 1_000 },
    )
  })

  test('leaves the frame that it was given as it was', () => {
    const frame = encodeFrame({ type: 'pong', ts: 1 })
    const before = Buffer.from(frame)
    prefixed(frame, 'x')
    expect(Buffer.compare(frame, before)).toBe(0)
  })

  test('takes a part of a larger block', () => {
    const block = Buffer.from('....{"type":"pong","ts":1}....')
    expect(read(prefixed(block.subarray(4, -4), 'x'))).toEqual({ [field]: 'x', type: 'pong', ts: 1 })
  })

  test.each(['"', '\\', '\n', '\ud800', '€', '","type":"x', ''])('%j is a value like any other', (value) => {
    expect(read(prefixed(encodeFrame({ type: 'pong', ts: 1 }), value))).toEqual({ [field]: value, type: 'pong', ts: 1 })
  })
})

test('a watcher gets both', () => {
  const frame = encodeFrame({ type: 'answer.reset', sid: 's', seq: 2, answerId: 'a', attempt: 2 })
  expect(serverFrames['answer.reset'].parse(read(withOwner(frame, 'u1')))).toMatchObject({ of: 'u1', attempt: 2 })
  expect(read(withPosition(withOwner(frame, 'u1'), 'l.r.1'))).toMatchObject({ at: 'l.r.1', of: 'u1' })
})

describe('errors', () => {
  test.each(errorCodeList)('%s is a frame with a sentence that can be shown', (code) => {
    const frame = errorFrameOf(code, 'r1')
    expect(serverFrames.error.parse(read(encodeFrame(frame)))).toEqual(frame)
    expect(frame).toMatchObject({ code, requestId: 'r1', ...errorCodes[code] })
    expect(frame.message).toMatch(/^[A-Z].*\.$/)
    expect(errorViewOf(code)).toEqual({ code, ...errorCodes[code] })
  })

  test('details go with it, and a message of its own replaces the sentence', () => {
    const details = { clientMessageId: 'c1', sid: 's', field: 'text', retryAfterMs: 5, message: 'Too long.' }
    const frame = errorFrameOf('invalid_frame', 'r1', details)
    expect(frame).toEqual({ type: 'error', code: 'invalid_frame', retryable: false, requestId: 'r1', ...details })
  })

  test.each(['constructor', '__proto__', 'toString', '', 'BUSY'])('"%s" is no error code', (code) => {
    expect(isErrorCode(code)).toBe(false)
  })
})
