import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ClientFrameType, messagePage, type ServerFrameType, sessionPage } from '../src/index.ts'
import { publishedSchemas } from '../src/published.ts'
import { clientFrame, serverFrame } from './support/arbitraries.ts'
import { decodeFrame } from './support/decoding.ts'
import { fullClient, leastClient, someServer } from './support/frames.ts'

const built = publishedSchemas()
const names = Object.keys(built) as (keyof typeof built)[]

test.each(names)('schema/%s.schema.json is up to date (pnpm -C packages/protocol run schema)', (name) => {
  const file = readFileSync(new URL(`../schema/${name}.schema.json`, import.meta.url), 'utf8')
  expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(built[name])))
})

const validators = Object.fromEntries(
  names.map((name) => [name, new Ajv2020({ strict: true, strictRequired: false }).compile(built[name])]),
) as Record<(typeof names)[number], ValidateFunction>
const { client, server, rest } = validators

describe('the schema of frames to the server', () => {
  test('takes what the decoder takes', () => {
    fc.assert(
      fc.property(clientFrame, (frame) => {
        expect(decodeFrame(frame).ok).toBe(true)
        expect(client(JSON.parse(JSON.stringify(frame)))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test.each(Object.keys(leastClient) as ClientFrameType[])('is closed: no other field in %s', (type) => {
    expect(client(leastClient[type])).toBe(true)
    expect(client(fullClient[type])).toBe(true)
    expect(client({ ...leastClient[type], role: 'admin' })).toBe(false)
  })

  test.each([
    [{ type: 'nonsense' }],
    [{ type: 'message.send', clientMessageId: 'c1' }],
    [{ ...leastClient['message.send'], text: 'x'.repeat(10_001) }],
    [{ ...leastClient['message.send'], files: [] }],
    [{ ...leastClient['message.send'], files: [{ fileId: 'f', role: 'x' }] }],
    [{ ...leastClient['message.send'], metadata: { '1': 'x' } }],
    [{ ...leastClient['message.send'], metadata: Object.fromEntries([...'abcdefghijklmnopq'].map((k) => [k, ''])) }],
    [{ ...leastClient['session.read'], seq: 0 }],
    [{ ...leastClient['session.end'], sid: { $gt: '' } }],
    [{ type: 'answer.regenerate', sid: 's', seq: 1 }],
  ])('refuses what the decoder refuses: %j', (frame) => {
    expect(decodeFrame(frame).ok).toBe(false)
    expect(client(frame)).toBe(false)
  })
})

describe('the schema of frames to the client', () => {
  test('takes every frame', () => {
    fc.assert(
      fc.property(serverFrame, (frame) => {
        expect(server(JSON.parse(JSON.stringify(frame)))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test.each(Object.keys(someServer) as ServerFrameType[])('is open: %s may grow', (type) => {
    expect(server({ ...someServer[type], later: { any: 'thing' } })).toBe(true)
    const { type: _, ...rest } = someServer[type]
    expect(server(rest)).toBe(false)
  })

  test('objects inside may grow, too', () => {
    const { session } = someServer['session.updated']
    expect(server({ ...someServer['session.updated'], session: { ...session, later: 1 } })).toBe(true)
    expect(server({ ...someServer['session.updated'], session: { ...session, rev: -1 } })).toBe(false)
  })
})

describe('the schema of REST', () => {
  const { session } = someServer['session.updated']
  const { type: _, ...spoken } = someServer.message
  const answer = {
    ...{ sid: 's', seq: 2, ts: 1, author: 'assistant', kind: 'text', text: 'Hi' },
    ...{ answerId: 'a1', status: 'done', modelId: 'demo', usage: { inputTokens: 1, outputTokens: 2, estimated: true } },
  }

  test.each([
    [{ sessions: [session], cursor: 'c' }, true],
    [{ sessions: [] }, true],
    [{ session }, true],
    [{ messages: [spoken, answer], more: false }, true],
    [{ message: { ...answer, feedback: { rating: 'up', comment: 'Good', ts: 1 } } }, true],
    [{ exportedAt: 1, session, messages: [spoken, answer] }, true],
    [{ session: { startedAt: 1, messageCount: 2, until: 3 } }, true],
    [
      { messages: [{ seq: 2, ts: 1, author: 'assistant', kind: 'text', text: 'Hi', status: 'done' }], more: false },
      true,
    ],
    [{ message: { ...answer, feedback: { rating: 'sideways', ts: 1 } } }, false],
    [{ error: { code: 'not_found', message: 'No.', retryable: false, requestId: 'r1' } }, true],
    [{ sessions: [{ ...session, rev: '1' }] }, false],
    [{ messages: [{ ...answer, author: 'user', kind: 'nonsense' }], more: false }, false],
    [{ messages: [] }, false],
    [{ error: { code: 'nonsense', message: 'No.', retryable: false, requestId: 'r1' } }, false],
    [{}, false],
  ])('%#', (body, valid) => {
    expect(rest(body)).toBe(valid)
  })

  test('says the same as the schemas in code', () => {
    expect(sessionPage.parse({ sessions: [session] })).toEqual({ sessions: [session] })
    expect(messagePage.parse({ messages: [spoken, answer], more: true }).messages).toEqual([spoken, answer])
  })
})
