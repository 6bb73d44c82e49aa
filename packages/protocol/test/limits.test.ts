import { describe, expect, test } from 'vitest'
import { type ClientFrame, clientDecoder, defaultLimits, type Limits, MAX_POSITION_LENGTH } from '../src/index.ts'
import { decodeFrame, faultOf, frameOf, utf8 } from './support/decoding.ts'
import { leastClient } from './support/frames.ts'

const send = leastClient['message.send']
const sid = 's'
const x = (length: number) => 'x'.repeat(length)

/** A frame whose field has this text, how the fault names the field, and the limit in bytes. */
type Case = readonly [name: string, frame: (text: string) => object, field: string, limit: number]

const freeText: Case[] = [
  ['text', (text) => ({ ...send, text }), 'text', 10_000],
  ['a metadata value', (a) => ({ ...send, metadata: { a } }), 'metadata', 1_000],
  ['a file id', (fileId) => ({ ...send, files: [{ fileId }] }), 'files.0.fileId', 255],
  ['a url', (url) => ({ ...send, files: [{ fileId: 'f', url }] }), 'files.0.url', 2_048],
  ['a file name', (name) => ({ ...send, files: [{ fileId: 'f', name }] }), 'files.0.name', 255],
  ['a mime type', (mimeType) => ({ ...send, files: [{ fileId: 'f', mimeType }] }), 'files.0.mimeType', 127],
  ['the model id of a message', (modelId) => ({ ...send, modelId }), 'modelId', 100],
  ['a model id', (modelId) => ({ ...leastClient['session.model'], modelId }), 'modelId', 100],
  ['the model id of another answer', (modelId) => ({ ...leastClient['answer.regenerate'], modelId }), 'modelId', 100],
  ['a help text', (text) => ({ type: 'help.request', sid, text }), 'text', 10_000],
  ['a note', (note) => ({ type: 'session.handback', sid, note }), 'note', 1_000],
  ['the name of a client', (client) => ({ ...leastClient.hello, client }), 'client', 64],
]

const ascii: Case[] = [
  ['a session id', (id) => ({ type: 'session.end', sid: id }), 'sid', 128],
  ['the session id of a message', (id) => ({ ...send, sid: id }), 'sid', 128],
  ['a request id', (requestId) => ({ type: 'ping', requestId }), 'requestId', 64],
  ['a client message id', (clientMessageId) => ({ ...send, clientMessageId }), 'clientMessageId', 64],
  ['an answer id', (answerId) => ({ type: 'answer.cancel', sid, answerId }), 'answerId', 64],
  ['a device id', (deviceId) => ({ type: 'hello', deviceId }), 'deviceId', 64],
  ['a token at the start', (token) => ({ ...leastClient.hello, token }), 'token', 4_096],
  ['a new token', (token) => ({ type: 'auth.refresh', token }), 'token', 4_096],
  ['a position', (resume) => ({ ...leastClient.hello, resume }), 'resume', MAX_POSITION_LENGTH],
  ['a position of a session', (resume) => ({ type: 'session.watch', sid, resume }), 'resume', MAX_POSITION_LENGTH],
  ['a key of metadata', (key) => ({ ...send, metadata: { [key]: '' } }), 'metadata', 64],
]

describe.each([...freeText, ...ascii])('%s', (_, frame, field, limit) => {
  test('is taken at its limit, and refused one byte over', () => {
    expect(frameOf(decodeFrame(frame(x(limit))))).toEqual(frame(x(limit)))
    expect(faultOf(decodeFrame(frame(x(limit + 1))))).toMatchObject({ code: 'invalid_frame', field })
  })
})

describe.each(freeText)('%s is counted in bytes of UTF-8', (_, frame, field, limit) => {
  test.each(['é', '€', '👍'])('of %s', (character) => {
    const width = Buffer.byteLength(character)
    const count = Math.floor(limit / width)
    const full = character.repeat(count) + x(limit - count * width)
    expect(frameOf(decodeFrame(frame(full)))).toEqual(frame(full))
    expect(faultOf(decodeFrame(frame(`${full}x`)))).toMatchObject({ code: 'invalid_frame', field })
    // As many characters as there may be bytes.
    expect(decodeFrame(frame(character.repeat(limit))).ok).toBe(false)
  })

  test('lone surrogates count as the three bytes that they become', () => {
    const count = Math.floor(limit / 3)
    expect(frameOf(decodeFrame(frame('\ud800'.repeat(count))))).toEqual(frame('\ufffd'.repeat(count)))
    expect(faultOf(decodeFrame(frame('\udc00'.repeat(count + 1))))).toMatchObject({ code: 'invalid_frame', field })
  })

  test('is counted as it was sent, and kept as it was sanitised (M8)', () => {
    expect(decodeFrame(frame(`${x(limit)} `)).ok).toBe(false)
    expect(frameOf(decodeFrame(frame(' x\u0000y\r\nz\u009f\t ')))).toEqual(frame('xy\nz'))
  })
})

describe('how many', () => {
  const files = (count: number) => ({ ...send, files: Array.from({ length: count }, (_, i) => ({ fileId: `f${i}` })) })
  const metadata = (count: number) => ({
    ...send,
    metadata: Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v'])),
  })

  test('ten files, not eleven and not none', () => {
    expect(decodeFrame(files(10)).ok).toBe(true)
    expect(faultOf(decodeFrame(files(11)))).toMatchObject({ code: 'invalid_frame', field: 'files' })
    expect(faultOf(decodeFrame(files(0)))).toMatchObject({ code: 'invalid_frame', field: 'files' })
  })

  test('sixteen entries of metadata, not seventeen; none is allowed', () => {
    expect(frameOf(decodeFrame(metadata(16)))).toEqual(metadata(16))
    expect(faultOf(decodeFrame(metadata(17)))).toMatchObject({ code: 'invalid_frame', field: 'metadata' })
    expect(decodeFrame(metadata(0)).ok).toBe(true)
  })

  test.each(['', '1a', '_a', '-a', '.a', 'a b', 'a$', 'ä', '$gt'])('"%s" is no key of metadata', (key) => {
    expect(faultOf(decodeFrame({ ...send, metadata: { [key]: 'v' } })).field).toBe('metadata')
  })
})

describe('what must say something', () => {
  const empty = ['', ' ', '\u0000', ' \r\n\t\u0007 ', '\ufeff']
  test.each(empty)('a message of text %j alone is empty', (text) => {
    const fault = { code: 'invalid_frame', field: 'text', message: 'is empty', clientMessageId: 'c1' }
    expect(faultOf(decodeFrame({ ...send, text }))).toEqual(fault)
    expect(faultOf(decodeFrame({ type: 'message.send', clientMessageId: 'c1' }))).toEqual(fault)
    expect(frameOf(decodeFrame({ ...send, text, files: [{ fileId: 'f' }] }))).toMatchObject({ text: '' })
  })

  test.each(empty)('%j is no model id and no file id', (id) => {
    expect(faultOf(decodeFrame({ ...send, modelId: id })).field).toBe('modelId')
    expect(faultOf(decodeFrame({ ...leastClient['session.model'], modelId: id })).field).toBe('modelId')
    expect(faultOf(decodeFrame({ ...send, files: [{ fileId: id }] })).field).toBe('files.0.fileId')
  })

  test.each([
    { type: 'hello', deviceId: '' },
    { ...leastClient.hello, token: '' },
    { type: 'auth.refresh', token: '' },
    { type: 'session.end', sid: '' },
    { type: 'answer.cancel', sid, answerId: '' },
    { type: 'ping', requestId: '' },
    { ...send, clientMessageId: '' },
  ])('%j is refused', (frame) => {
    expect(faultOf(decodeFrame(frame)).code).toBe('invalid_frame')
  })
})

describe('ids and numbers', () => {
  test.each(['a b', 'a/b', 'a\u0000', 'ä', 'a\n', '{a}', '$where', '../a', 'a*'])('%j is no id', (id) => {
    for (const frame of [
      { type: 'session.end', sid: id },
      { type: 'answer.cancel', sid, answerId: id },
      { type: 'hello', deviceId: id },
      { type: 'ping', requestId: id },
      { ...send, clientMessageId: id },
      { ...send, sid: id },
    ]) {
      expect(faultOf(decodeFrame(frame)).code).toBe('invalid_frame')
    }
  })

  test.each([0, -1, 1.5, 2 ** 53, 1e300, '1', true])('%j is no seq', (seq) => {
    expect(faultOf(decodeFrame({ type: 'session.read', sid, seq })).field).toBe('seq')
    expect(faultOf(decodeFrame({ ...leastClient['answer.regenerate'], seq })).field).toBe('seq')
  })

  test.each([-1, 0.5, 2 ** 53, '1', null])('%j is no size of a file', (size) => {
    expect(faultOf(decodeFrame({ ...send, files: [{ fileId: 'f', size }] })).field).toBe('files.0.size')
  })

  test('a number too large for JSON numbers is refused', () => {
    const decode = clientDecoder()
    expect(decode(utf8('{"type":"session.read","sid":"s","seq":1e999}')).ok).toBe(false)
  })
})

describe('the frame', () => {
  const padded = (length: number) => utf8(JSON.stringify(send).padEnd(length))

  test('is taken at 65 536 bytes, and too large one byte over', () => {
    const decode = clientDecoder()
    expect(frameOf(decode(padded(65_536)))).toEqual(send)
    expect(faultOf(decode(padded(65_537)))).toEqual({ code: 'too_large', message: 'is larger than 65536 bytes' })
  })

  test('is not even read when it is too large', () => {
    expect(faultOf(clientDecoder()(new Uint8Array(65_537))).code).toBe('too_large')
  })
})

describe('limits are configurable', () => {
  const small: Limits = {
    text: 8,
    metadataValue: 4,
    metadataEntries: 1,
    fileId: 4,
    files: 1,
    url: 4,
    modelId: 4,
    sessionId: 4,
    frame: 300,
  }
  const decode = clientDecoder(small)
  const full = {
    ...send,
    sid: 'ssss',
    text: '12345678',
    modelId: 'mmmm',
    files: [{ fileId: 'ffff', url: 'uuuu' }],
    metadata: { a: 'vvvv' },
  } satisfies ClientFrame
  const bytes = (frame: object) => utf8(JSON.stringify(frame))

  test('each at its limit', () => {
    expect(frameOf(decode(bytes(full)))).toEqual(full)
  })

  test.each([
    ['text', { ...full, text: '12345€7' }],
    ['metadata', { ...full, metadata: { a: 'vv€' } }],
    ['metadata', { ...full, metadata: { a: '', b: '' } }],
    ['files.0.fileId', { ...full, files: [{ fileId: 'fffff' }] }],
    ['files', { ...full, files: [{ fileId: 'f' }, { fileId: 'g' }] }],
    ['files.0.url', { ...full, files: [{ fileId: 'f', url: 'uuuuu' }] }],
    ['modelId', { ...full, modelId: 'mmmmm' }],
    ['sid', { ...full, sid: 'sssss' }],
  ])('%s over its limit', (field, frame) => {
    expect(faultOf(decode(bytes(frame)))).toMatchObject({ code: 'invalid_frame', field })
    expect(decodeFrame(frame).ok).toBe(true)
  })

  test('the frame over its limit', () => {
    expect(decode(utf8(JSON.stringify(send).padEnd(300))).ok).toBe(true)
    expect(faultOf(decode(utf8(JSON.stringify(send).padEnd(301)))).code).toBe('too_large')
  })

  test('every limit has a default', () => {
    expect(Object.keys(defaultLimits).sort()).toEqual(Object.keys(small).sort())
  })
})
