import { afterEach, describe, expect, test, vi } from 'vitest'
import { createRenewal } from '../src/renewal.ts'
import { createTokens, expiryOf } from '../src/tokens.ts'
import { connected, observed, server } from './helpers/client.ts'

const jwt = (claims: object) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`

afterEach(() => {
  vi.useRealTimers()
})

test('the expiry of a JWT is read, anything else has none', () => {
  expect(expiryOf(jwt({ exp: 1_800_000_000, name: 'Jörg ~~~???' }))).toBe(1_800_000_000_000)
  for (const token of ['', 'opaque', 'a.b.c', 'a.!!.c', jwt({}), jwt({ exp: 'soon' }), `h.${btoa('null')}.s`]) {
    expect(expiryOf(token)).toBeUndefined()
  }
})

describe('in band', () => {
  test('a new token goes to the server before the old one expires, again and again', async () => {
    const started = await server()
    let given = 0
    const token = vi.fn(() => jwt({ exp: (Date.now() + 60) / 1_000, given: ++given }))
    const { chat, heard } = observed(started, { token, tuning: { refreshAheadMs: 40 } })
    chat.connect()
    const peer = await started.peer()
    const { token: first } = await peer.welcome({ expiresAt: Date.now() + 60 })
    const second = await peer.next('auth.refresh')
    const third = await peer.next('auth.refresh')
    expect(new Set([first, second.token, third.token]).size).toBe(3)
    expect(token.mock.calls.slice(0, 2)).toEqual([[{ fresh: false }], [{ fresh: true }]])
    expect(started.connections).toBe(1)
    expect(heard.error).toEqual([])
  })

  test('a refusal is an error, and the connection goes on', async () => {
    const started = await server()
    const { chat, until } = observed(started, { tuning: { refreshAheadMs: 40 } })
    chat.connect()
    const peer = await started.peer()
    await peer.welcome({ expiresAt: Date.now() + 60 })
    const { requestId = '' } = await peer.next('auth.refresh')
    peer.send({ type: 'error', code: 'forbidden', message: 'another user', retryable: false, requestId })
    expect(await until('error')).toMatchObject({ code: 'forbidden', requestId })
    expect(chat.state.kind).toBe('open')
  })

  test('a token that could not be had is asked for again while there is time', async () => {
    const started = await server()
    let asked = 0
    const { chat, until } = observed(started, {
      token() {
        if (++asked === 2) throw new Error('the network')
        return 'token'
      },
      tuning: { refreshAheadMs: 40 },
    })
    chat.connect()
    const peer = await started.peer()
    await peer.welcome({ expiresAt: Date.now() + 60 })
    await until('error', (error) => error.code === 'unauthorized' && error.retryable)
    await peer.next('auth.refresh')
  })
})

describe('when', () => {
  const renewal = (give: () => string) => {
    vi.useFakeTimers()
    const sent: unknown[] = []
    const made = createRenewal({
      tokens: createTokens(give),
      refreshAheadMs: 60_000,
      send: (frame) => sent.push(frame) > 0,
      onError: (error) => sent.push(error),
    })
    return { made, sent }
  }
  const hour = 3_600_000

  test('a minute ahead', async () => {
    const { made, sent } = renewal(() => 'opaque')
    made.begin(Date.now() + hour)
    await vi.advanceTimersByTimeAsync(hour - 60_001)
    expect(sent).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(sent).toHaveLength(1)
    // A token that says nothing of its expiry is taken to live as long as the one before.
    await vi.advanceTimersByTimeAsync(hour - 60_001)
    expect(sent).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(sent).toHaveLength(2)
    made.stop()
    await vi.advanceTimersByTimeAsync(10 * hour)
    expect(sent).toHaveLength(2)
  })

  test('by the clock of the server, where this one is wrong by hours', async () => {
    const serverNow = () => Date.now() - 5 * hour
    const { made, sent } = renewal(() => jwt({ exp: (serverNow() + hour) / 1_000 }))
    made.begin(serverNow() + hour)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(sent).toHaveLength(1)
    made.clock(serverNow())
    await vi.advanceTimersByTimeAsync(hour - 70_000)
    expect(sent).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(sent).toHaveLength(2)
  })

  test('tokens that live for years are no tight loop', async () => {
    const { made, sent } = renewal(() => jwt({ exp: (Date.now() + 1e12) / 1_000 }))
    made.begin(Date.now() + 1e12)
    await vi.advanceTimersByTimeAsync(24 * hour)
    expect(sent).toHaveLength(0)
    made.stop()
  })

  test('an app that gives the same old token is asked once a second at most', async () => {
    const token = jwt({ exp: (Date.now() + 10_000) / 1_000 })
    const give = vi.fn(() => token)
    const { made } = renewal(give)
    made.begin(Date.now() + 10_000)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(give.mock.calls.length).toBeGreaterThan(1)
    expect(give.mock.calls.length).toBeLessThanOrEqual(10)
    made.stop()
  })

  test('nothing is sent over a connection that was closed while the token was awaited', async () => {
    const { made, sent } = renewal(() => 'token')
    made.begin(Date.now() + 1_000)
    made.now()
    made.stop()
    await vi.advanceTimersByTimeAsync(hour)
    expect(sent).toEqual([])
  })
})

test('the token of the last refresh is the one that REST uses', async () => {
  const { chat, server, peer } = await connected({ token: ({ fresh }) => (fresh ? 'new' : 'old') })
  server.rest(() => ({ status: 200, body: { sessions: [] } }))
  await chat.sessions()
  peer.close(4101)
  await (await server.peer()).welcome()
  await chat.sessions()
  expect(server.requests.map((request) => request.token)).toEqual(['old', 'new'])
})
