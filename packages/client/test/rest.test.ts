import { describe, expect, test, vi } from 'vitest'
import { ChatError } from '../src/index.ts'
import { createTokens } from '../src/tokens.ts'
import { observed, server } from './helpers/client.ts'
import { session, spoken, storedAnswer } from './helpers/frames.ts'

const failure = (promise: Promise<unknown>) => promise.catch((reason: unknown) => reason)

describe('reading', () => {
  test('sessions, one session, messages: with the bearer token and what was asked for', async () => {
    const started = await server()
    const { chat } = observed(started)
    const messages = [spoken(), storedAnswer('hello')]
    const bodies = [{ sessions: [session()], cursor: 'c' }, { session: session() }, { messages, more: true }]
    started.rest(() => ({ status: 200, body: bodies.shift() }))
    expect(await chat.sessions({ limit: 2, cursor: 'a/b?c' })).toEqual({ sessions: [session()], cursor: 'c' })
    expect(await chat.session('s1')).toEqual(session())
    expect(await chat.messages('../admin?x', { before: 9, limit: 3 })).toEqual({ messages, more: true })
    expect(started.requests).toEqual([
      { path: '/chat/sessions', query: { limit: '2', cursor: 'a/b?c' }, token: 'token' },
      { path: '/chat/sessions/s1', query: {}, token: 'token' },
      { path: '/chat/sessions/..%2Fadmin%3Fx/messages', query: { before: '9', limit: '3' }, token: 'token' },
    ])
  })

  test('the token never goes into the address', async () => {
    const started = await server()
    const { chat } = observed({ ...started, url: `${started.url}/?token=nope#token` }, { token: () => 'canary' })
    started.rest(() => ({ status: 200, body: { sessions: [] } }))
    await chat.sessions()
    expect(started.requests).toEqual([{ path: '/chat/sessions', query: {}, token: 'canary' }])
  })
})

describe('a token that is refused', () => {
  test('is renewed once, for all who wait', async () => {
    const started = await server()
    const token = vi.fn(({ fresh }: { fresh: boolean }) => (fresh ? 'new' : 'old'))
    const { chat } = observed(started, { token })
    started.rest((request) => (request.token === 'new' ? { status: 200, body: { sessions: [] } } : { status: 401 }))
    await chat.sessions()
    await Promise.all([chat.sessions(), chat.sessions()])
    expect(token.mock.calls).toEqual([[{ fresh: false }], [{ fresh: true }]])
  })

  test('many calls that are refused at once ask for one new token', async () => {
    let give: (token: string) => void = () => undefined
    const asked = vi.fn(() => new Promise<string>((resolve) => (give = resolve)))
    const tokens = createTokens(asked)
    const renewed = Promise.all([tokens.renew('old'), tokens.renew('old'), tokens.renew('old')])
    give('new')
    expect(await renewed).toEqual(['new', 'new', 'new'])
    expect(asked).toHaveBeenCalledOnce()
    expect(await tokens.renew('old')).toBe('new')
    expect(asked).toHaveBeenCalledOnce()
  })

  test('and refused again is an error', async () => {
    const started = await server()
    const { chat } = observed(started)
    const error = { code: 'token_expired', message: 'expired', retryable: false, requestId: 'r1' }
    started.rest(() => ({ status: 401, body: { error } }))
    const refused = await failure(chat.sessions())
    expect(refused).toBeInstanceOf(ChatError)
    expect(refused).toMatchObject(error)
    expect(started.requests).toHaveLength(2)
  })

  test('a new one that could not be had is an error too', async () => {
    const started = await server()
    const token = () => Promise.reject(new Error('the network'))
    const { chat } = observed(started, { token })
    expect(await failure(chat.sessions())).toMatchObject({ code: 'unauthorized', retryable: true })
  })
})

describe('errors', () => {
  test('keep their code, their request and when to come back', async () => {
    const started = await server()
    const { chat } = observed(started)
    const error = { code: 'rate_limited', message: 'slow down', retryable: true, requestId: 'r2' }
    started.rest(() => ({ status: 429, body: { error }, headers: { 'retry-after': '3' } }))
    expect(await failure(chat.session('s1'))).toMatchObject({ ...error, retryAfterMs: 3_000 })
  })

  test.each([
    [401, 'unauthorized', false],
    [403, 'forbidden', false],
    [404, 'not_found', false],
    [418, 'internal', false],
    [429, 'rate_limited', true],
    [500, 'unavailable', true],
    [503, 'unavailable', true],
  ])('a proxy that says %i in its own way: %s', async (status, code, retryable) => {
    const started = await server()
    const { chat } = observed(started)
    started.rest(() => ({ status, body: '<html>no</html>' }))
    expect(await failure(chat.session('s1'))).toMatchObject({ code, retryable })
  })

  test('an answer that makes no sense', async () => {
    const started = await server()
    const { chat } = observed(started)
    started.rest(() => ({ status: 200, body: '<html>welcome to the hotel</html>' }))
    expect(await failure(chat.session('s1'))).toMatchObject({ code: 'internal', retryable: true })
  })

  test('nobody there, and nobody who answers in time', async () => {
    const started = await server()
    const { chat } = observed(started, { tuning: { restMs: 40 } })
    started.rest(() => new Promise(() => undefined))
    expect(await failure(chat.session('s1'))).toMatchObject({ code: 'unavailable', retryable: true })
    await started.stop()
    expect(await failure(chat.session('s1'))).toMatchObject({ code: 'unavailable', retryable: true })
  })
})
