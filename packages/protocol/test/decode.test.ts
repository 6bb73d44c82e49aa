import { describe, expect, test } from 'vitest'
import { type ClientFrameType, clientDecoder, clientFrames } from '../src/index.ts'
import { decodeFrame, decodeText, faultOf, frameOf, utf8 } from './support/decoding.ts'
import { fullClient, leastClient } from './support/frames.ts'
import { fieldsOf } from './support/shape.ts'

const types = Object.keys(leastClient) as ClientFrameType[]
const schemas = clientFrames()

describe.each(types)('%s', (type) => {
  test('is taken with the least that it needs', () => {
    expect(frameOf(decodeFrame(leastClient[type]))).toEqual(leastClient[type])
  })

  test('is taken with all that it may have', () => {
    expect(frameOf(decodeFrame(fullClient[type]))).toEqual(fullClient[type])
    const names = fieldsOf(schemas[type]).map((name) => name.replace('?', ''))
    expect(Object.keys(fullClient[type]).sort()).toEqual(names.sort())
  })

  const foreign = ['role', 'userId', 'seq', 'at', 'constructor', 'toJSON', '__proto__']
  test.each(foreign.filter((name) => !Object.hasOwn(fullClient[type], name)))(
    'is refused with a field that it does not have: %s (security 11)',
    (name) => {
      const text = JSON.stringify({ ...leastClient[type], requestId: 'r1' }).replace('{', `{${JSON.stringify(name)}:1,`)
      const { clientMessageId: _, ...fault } = faultOf(decodeText(text))
      expect(fault).toEqual({
        code: 'invalid_frame',
        message: 'has a field that is not known',
        requestId: 'r1',
      })
    },
  )

  test('is refused when any field is an operator, a list, null, or a number for a string (security 13)', () => {
    const fields = Object.keys(fullClient[type]).filter((name) => name !== 'type')
    for (const name of fields) {
      for (const value of [{ $gt: '' }, { $ne: null }, ['x'], null, 1.5, Number.MAX_VALUE, { length: 1 }]) {
        const fault = faultOf(decodeFrame({ ...fullClient[type], [name]: value }))
        expect(fault.code).toBe('invalid_frame')
        expect(fault.field?.split('.')[0]).toBe(name)
      }
    }
  })
})

const needed = types.flatMap((type) =>
  fieldsOf(schemas[type], 'type')
    .filter((name) => !name.endsWith('?'))
    .map((name) => [type, name] as const),
)

test.each(needed)('%s is refused without %s', (type, name) => {
  const { [name]: _, ...rest } = fullClient[type] as Record<string, unknown>
  expect(faultOf(decodeFrame(rest))).toMatchObject({ code: 'invalid_frame', field: name })
})

describe('what is no JSON object is refused as invalid_json', () => {
  test.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['a string', '"ping"'],
    ['a number', '1'],
    ['null', 'null'],
    ['a list', '[{"type":"ping"}]'],
    ['two objects', '{"type":"ping"}{"type":"ping"}'],
    ['an object that breaks off', '{"type":"ping"'],
    ['a comma too many', '{"type":"ping",}'],
    ['a comment', '{"type":"ping"/**/}'],
    ['single quotes', "{'type':'ping'}"],
    ['NaN', '{"type":"ping","x":NaN}'],
    ['a raw control character in a string', '{"type":"pi\u0000ng"}'],
    ['a byte order mark', '\ufeff{"type":"ping"}'],
    ['lists that never close', '['.repeat(10_000)],
  ])('%s', (_, text) => {
    expect(faultOf(decodeText(text))).toEqual({ code: 'invalid_json', message: 'is not a JSON object' })
  })

  const before = utf8('{"type":"message.send","clientMessageId":"c1","text":"a')
  const after = utf8('b"}')
  test.each([
    ['a byte that never stands in UTF-8', [0xff]],
    ['a lone continuation', [0x80]],
    ['an overlong slash, 2 bytes', [0xc0, 0xaf]],
    ['an overlong slash, 3 bytes', [0xe0, 0x80, 0xaf]],
    ['an overlong slash, 4 bytes', [0xf0, 0x80, 0x80, 0xaf]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a character that breaks off', [0xe2, 0x82]],
  ])('invalid UTF-8: %s', (_, bytes) => {
    const decode = clientDecoder()
    for (const filling of [0, 5_000]) {
      const long = new Uint8Array(filling).fill(0x61)
      const frame = Buffer.concat([before, long, Uint8Array.from(bytes), after])
      expect(faultOf(decode(frame)).code).toBe('invalid_json')
      // What went before leaves nothing behind.
      expect(decode(Buffer.concat([before, long, after])).ok).toBe(true)
    }
  })

  test('garbage', () => {
    const decode = clientDecoder()
    const garbage = Uint8Array.from({ length: 65_536 }, (_, i) => (i * 31 + (i >> 8)) & 0xff)
    expect(faultOf(decode(garbage)).code).toBe('invalid_json')
  })

  test('a frame that ends in the midst of a character', () => {
    const whole = utf8('{"type":"help.request","sid":"s","text":"€"}')
    expect(faultOf(clientDecoder()(whole.subarray(0, -4))).code).toBe('invalid_json')
  })
})

describe('types', () => {
  test.each(['', 'Ping', 'ping ', 'pong', 'ready', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'there is no frame of type "%s"',
    (type) => {
      expect(faultOf(decodeText(`{"type":${JSON.stringify(type)},"requestId":"r1"}`))).toEqual({
        code: 'unknown_type',
        field: 'type',
        message: 'is not known',
        requestId: 'r1',
      })
    },
  )

  test.each([[undefined], [null], [1], [true], [['ping']], [{ $gt: '' }]])('a type must be a string: %j', (type) => {
    expect(faultOf(decodeFrame({ type }))).toEqual({
      code: 'invalid_frame',
      field: 'type',
      message: 'is not a string',
    })
  })

  test('the last of two keys counts (security 12)', () => {
    expect(frameOf(decodeText('{"type":"nonsense","type":"ping"}'))).toEqual({ type: 'ping' })
    expect(faultOf(decodeText('{"type":"ping","type":"nonsense"}')).code).toBe('unknown_type')
    const twice = '{"type":"session.end","sid":"first","sid":"second"}'
    expect(frameOf(decodeText(twice))).toEqual({ type: 'session.end', sid: 'second' })
    expect(faultOf(decodeText('{"type":"session.end","sid":"good","sid":{"$gt":""}}')).field).toBe('sid')
  })

  test('an escaped key is the key it spells', () => {
    expect(frameOf(decodeText('{"\\u0074ype":"ping"}'))).toEqual({ type: 'ping' })
    expect(faultOf(decodeText('{"type":"ping","\\u005f_proto__":{}}')).code).toBe('invalid_frame')
  })
})

describe('keys that reach for the prototype are refused, not dropped', () => {
  const send = (inner: string) => `{"type":"message.send","clientMessageId":"c1","text":"hi",${inner}}`
  test.each([
    ['in the frame', send('"__proto__":{"role":"admin"}'), undefined],
    ['in the frame, a string', send('"__proto__":"x"'), undefined],
    ['in metadata', send('"metadata":{"__proto__":"x"}'), 'metadata'],
    ['in metadata, an object', send('"metadata":{"__proto__":{"a":"b"}}'), 'metadata'],
    ['in metadata, beside others', send('"metadata":{"a":"b","__proto__":"x","c":"d"}'), 'metadata'],
    ['in metadata, escaped', send('"metadata":{"\\u005f\\u005fproto__":"x"}'), 'metadata'],
    ['in a file', send('"files":[{"fileId":"a"},{"fileId":"b","__proto__":{"url":"x"}}]'), 'files.1'],
    ['instead of a field', '{"type":"session.end","__proto__":{"sid":"s"}}', 'sid'],
    ['in a value of metadata', send('"metadata":{"a":{"__proto__":"x"}}'), 'metadata'],
  ])('%s', (_, text, field) => {
    const fault = faultOf(decodeText(text))
    expect(fault.code).toBe('invalid_frame')
    expect(fault.field).toBe(field)
    expect(({} as Record<string, unknown>).role).toBeUndefined()
  })

  test.each(['constructor', 'prototype', 'toString', 'hasOwnProperty', 'toJSON'])(
    '%s is a name like any other in metadata, and nothing but a string',
    (name) => {
      const frame = frameOf(decodeText(send(`"metadata":{"${name}":"x"}`)))
      expect(frame).toMatchObject({ metadata: { [name]: 'x' } })
      expect(Object.getPrototypeOf(Reflect.get(frame, 'metadata'))).toBe(Object.prototype)
      expect(faultOf(decodeText(send(`"metadata":{"${name}":{"prototype":{}}}`))).field).toBe('metadata')
    },
  )

  test('text may speak of it', () => {
    expect(decodeText(send('"sid":"s","metadata":{"a":"__proto__"}')).ok).toBe(true)
    expect(frameOf(decodeFrame({ ...leastClient['message.send'], text: '__proto__' }))).toMatchObject({
      text: '__proto__',
    })
  })
})

describe('depth and breadth', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  test.each([
    ['lists in an unknown field', `{"type":"ping","x":${nested(10_000)}}`],
    ['objects in an unknown field', `{"type":"ping","x":${deep(10_000)}}`],
    ['lists for a string', `{"type":"session.end","sid":${nested(30_000)}}`],
    ['objects for metadata', `{"type":"message.send","clientMessageId":"c","text":"t","metadata":${deep(10_000)}}`],
    ['lists for files', `{"type":"message.send","clientMessageId":"c","text":"t","files":${nested(30_000)}}`],
    ['objects for the type', `{"type":${deep(10_000)}}`],
  ])('nesting of 10 000 and more is refused: %s (security 12)', (_, text) => {
    expect(faultOf(decodeText(text)).code).toBe('invalid_frame')
  })

  test('only the first fault of thousands is told', () => {
    const entries = Array.from({ length: 7_000 }, (_, i) => `"${i}":1`).join(',')
    const metadata = decodeText(`{"type":"message.send","clientMessageId":"c1","metadata":{${entries}}}`)
    expect(faultOf(metadata)).toEqual({
      code: 'invalid_frame',
      field: 'metadata',
      message: 'is not an object of at most 16 strings',
      clientMessageId: 'c1',
    })
    const unknown = decodeText(`{"type":"ping",${entries}}`)
    expect(faultOf(unknown)).toEqual({ code: 'invalid_frame', message: 'has a field that is not known' })
    const files = decodeText(`{"type":"message.send","clientMessageId":"c1","files":[${'1,'.repeat(20_000)}1]}`)
    expect(faultOf(files)).toMatchObject({ code: 'invalid_frame', field: 'files', message: 'is over its limit' })
  })
})

describe('a fault tells what and where, and nothing of what was said (M1)', () => {
  test('ids that are harmless are repeated', () => {
    const fault = faultOf(decodeFrame({ type: 'message.send', clientMessageId: 'c-1', requestId: 'r:1', text: 7 }))
    expect(fault).toEqual({
      code: 'invalid_frame',
      field: 'text',
      message: 'should be of type string',
      requestId: 'r:1',
      clientMessageId: 'c-1',
    })
  })

  test.each(['', 'a b', 'x'.repeat(65), 'ä', 'a\n', '"', {}, 1, null])('other ids are not: %j', (id) => {
    const fault = faultOf(decodeFrame({ type: 'message.send', clientMessageId: id, requestId: id }))
    expect(Object.keys(fault)).toEqual(['code', 'field', 'message'])
  })

  test.each([
    [{ ...leastClient['message.send'], metadata: { zqCanaryKey: 1 } }, 'metadata'],
    [{ ...leastClient['message.send'], metadata: { 'zqCanary key': 'x' } }, 'metadata'],
    [{ ...leastClient['message.send'], zqCanary: 'zqCanary' }, undefined],
    [{ ...leastClient['message.send'], files: [{ fileId: 'f', zqCanary: 'zqCanary' }] }, 'files.0'],
    [
      { ...leastClient['message.send'], files: [{ fileId: 'f' }, { fileId: 'zqCanary', size: 'zqCanary' }] },
      'files.1.size',
    ],
    [{ ...leastClient['session.end'], sid: 'zqCanary !' }, 'sid'],
    [{ type: 'zqCanary' }, 'type'],
  ])('of %j it says where', (frame, field) => {
    const fault = faultOf(decodeFrame(frame))
    expect(fault.field).toBe(field)
    expect(JSON.stringify(fault)).not.toContain('zqCanary')
  })
})
