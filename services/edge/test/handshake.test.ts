import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { Refusal } from '@chatbox/core'
import { connectWire, refusedUpgrade, type WireOptions } from '@chatbox/testkit/wire'
import { describe, expect, it } from 'vitest'
import { echo, openEdge, PAGE, SECRET, tokenOf, until } from './support/open-edge.ts'

const HELLO = { type: 'hello', deviceId: 'd-1' }

/** The upgrade as it is, with what the server answers; no library fills anything in. */
async function upgrade(
  url: string,
  headers: Record<string, string>,
  path = '/chat/ws',
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  const asked = request(new URL(path, url), {
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', // not a secret
      'Sec-WebSocket-Version': '13',
      ...headers,
    },
  })
  asked.end()
  return new Promise((resolve, reject) => {
    asked.once('error', reject)
    asked.once('upgrade', (response, socket) => {
      socket.destroy()
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' })
    })
    asked.once('response', async (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        body += chunk
      })
      await once(response, 'end')
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
    })
  })
}

describe('who may open a socket (X1)', () => {
  it.each([
    ['the configured origin', PAGE, 101],
    ['an evil suffix', `${PAGE}.evil.net`, 403],
    ['an evil prefix', 'https://evil-www.example.com', 403],
    ['null', 'null', 403],
    ['another port', `${PAGE}:8443`, 403],
    ['another scheme', 'http://www.example.com', 403],
    ['another case', 'https://WWW.example.com', 403],
    ['a trailing slash', `${PAGE}/`, 403],
    ['a list that has it', `${PAGE} https://evil.net`, 403],
    ['the public address', 'https://chat.example.com', 101],
    ['the public address with its path', 'https://chat.example.com/support', 403],
  ])('%s: %s is answered %i', async (_what, origin, status) => {
    const publicUrl = new URL('https://chat.example.com/support')
    const { url } = await openEdge({ deps: { origins: { allowed: [PAGE], check: true, publicUrl } } })
    expect((await upgrade(url, { Origin: origin })).status).toBe(status)
  })

  it('lets a request without an Origin in only if it shows a token at once', async () => {
    const { url } = await openEdge()
    expect((await upgrade(url, {})).status).toBe(403)
    expect((await upgrade(url, { Authorization: 'Basic dXNlcjpwYXNz' })).status).toBe(403)
    expect((await upgrade(url, { Authorization: 'Bearer ' })).status).toBe(403)
    expect((await upgrade(url, { Authorization: `Bearer ${await tokenOf('ada')}` })).status).toBe(101)
  })

  it('does not take a token as an excuse for a foreign Origin', async () => {
    const { url } = await openEdge()
    const headers = { Origin: 'https://evil.net', Authorization: `Bearer ${await tokenOf('ada')}` }
    expect((await upgrade(url, headers)).status).toBe(403)
  })

  it('refuses every cross-origin request when nothing is configured', async () => {
    const { url } = await openEdge({ deps: { origins: { allowed: [], check: true } } })
    expect((await upgrade(url, { Origin: PAGE })).status).toBe(403)
  })

  it('asks nothing when the check is turned off', async () => {
    const { url } = await openEdge({ deps: { origins: { allowed: [], check: false } } })
    expect((await upgrade(url, { Origin: 'https://evil.net' })).status).toBe(101)
  })

  it('knows its own host, so that a name that somebody else points here is nobody', async () => {
    const ownHost = (host: string) => host.split(':')[0] === '127.0.0.1'
    const { url } = await openEdge({ deps: { origins: { allowed: [], check: true, ownHost } } })
    const own = new URL(url).host
    const token = { Authorization: `Bearer ${await tokenOf('ada')}` }
    expect((await upgrade(url, { Origin: `http://${own}` })).status).toBe(101)
    expect((await upgrade(url, { Host: 'evil.net', Origin: 'http://evil.net' })).status).toBe(403)
    expect((await upgrade(url, { Host: 'evil.net', ...token })).status).toBe(403)
    expect((await upgrade(url, { Host: own, Origin: 'http://evil.net' })).status).toBe(403)
    expect((await upgrade(url, { Host: own, ...token })).status).toBe(101)
  })

  it('says why with a code and a request id, and counts it', async () => {
    const { url, metric } = await openEdge()
    const { body, status, headers } = await upgrade(url, { Origin: 'https://evil.net' })
    expect(status).toBe(403)
    expect(headers['content-type']).toContain('application/json')
    expect(JSON.parse(body)).toEqual({
      error: { code: 'forbidden', message: expect.any(String), retryable: false, requestId: expect.any(String) },
    })
    expect(await metric('edge_handshakes_total', '{outcome="origin"}')).toBe(1)
  })
})

describe('the upgrade', () => {
  it.each(['token', 'access_token', 'jwt', 'TOKEN', 't%6Fken', 'x=1&token', 'token=&x=1'])(
    'refuses an address with %s in its query',
    async (query) => {
      const { url } = await openEdge()
      const path = query.includes('=') ? `/chat/ws?${query}` : `/chat/ws?${query}=secret`
      expect((await upgrade(url, { Origin: PAGE }, path)).status).toBe(400)
    },
  )

  it('leaves other queries alone', async () => {
    const { url } = await openEdge()
    expect((await upgrade(url, { Origin: PAGE }, '/chat/ws?tokens=1&v=token')).status).toBe(101)
  })

  it('takes up neither compression nor a subprotocol', async () => {
    const { url } = await openEdge()
    const { headers } = await upgrade(url, {
      Origin: PAGE,
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
      'Sec-WebSocket-Protocol': 'secret-in-a-protocol',
    })
    expect(headers).not.toHaveProperty('sec-websocket-extensions')
    expect(headers).not.toHaveProperty('sec-websocket-protocol')
  })

  it('asks no store before there is a socket, nor the limiter for those who do nothing wrong', async () => {
    const { connect, tamper } = await openEdge()
    const asked: string[] = []
    const calls = [
      ['limiter', 'peek'],
      ['limiter', 'consume'],
      ['registry', 'register'],
      ['bus', 'subscribe'],
    ] as const
    for (const [port, method] of calls)
      tamper.on(port, method, (proceed) => {
        asked.push(`${port}.${method}`)
        return proceed()
      })
    const client = await connect()
    expect(asked).toEqual([])
    await client.hello({ token: await tokenOf('ada'), deviceId: 'd-1' })
    expect(asked).toEqual(['registry.register', 'bus.subscribe'])
  })

  it('counts failed tokens against their address, and nothing else (R29)', async () => {
    const { url, connect, device } = await openEdge({
      memory: { limits: { handshakes: { points: 3, perMs: 60_000 } } },
    })
    // Neither good tokens, nor expired ones, nor nonsense count.
    for (let i = 0; i < 5; i++) await device('ada', `d-${i}`)
    for (let i = 0; i < 5; i++) {
      const expired = await connect()
      expired.send({ ...HELLO, token: expiredToken() })
      await expired.closed()
    }
    for (let i = 0; i < 3; i++) {
      const client = await connect()
      client.send({ ...HELLO, token: `wrong-${i}` })
      await client.closed()
    }
    expect(await refusedUpgrade(url, { origin: PAGE })).toBe(429)
    const { headers } = await upgrade(url, { Origin: PAGE })
    expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  })

  it('counts sockets that never said who they are, and not those that it sent away itself', async () => {
    const { url, connect, metric } = await openEdge({
      times: { helloMs: 50 },
      memory: { limits: { handshakes: { points: 3, perMs: 60_000 } } },
    })
    const [late, rude, gone] = [await connect(), await connect(), await connect()]
    rude.send({ type: 'ping' })
    gone.cut()
    expect(await late.closed()).toMatchObject({ code: 4001 })
    expect(await rude.closed()).toMatchObject({ code: 4200 })
    await until(async () => (await metric('edge_unauthenticated_total', '{why="silent"}')) === 3, 'all are counted')
    expect(await refusedUpgrade(url, { origin: PAGE })).toBe(429)

    const other = await openEdge({ memory: { limits: { handshakes: { points: 1, perMs: 60_000 } } } })
    const waiting = await other.connect()
    await other.edge.stop(AbortSignal.timeout(5_000))
    expect(await waiting.closed()).toMatchObject({ code: 1012 })
    expect(await other.metric('edge_unauthenticated_total', '{why="silent"}')).toBe(0)
  })

  it('costs an address nothing for a page that it does not let in', async () => {
    const { url } = await openEdge({ memory: { limits: { handshakes: { points: 2, perMs: 60_000 } } } })
    for (let i = 0; i < 5; i++) expect((await upgrade(url, { Origin: 'https://evil.net' })).status).toBe(403)
    expect((await upgrade(url, { Origin: PAGE })).status).toBe(101)
  })

  it('goes by the address that connects, whatever a header says (security 1, 21)', async () => {
    const { url } = await openEdge({ memory: { limits: { handshakes: { points: 2, perMs: 60_000 } } } })
    for (let i = 0; i < 2; i++) {
      const client = await connectWire(url, { origin: PAGE, headers: { 'X-Forwarded-For': `10.0.0.${i}` } })
      client.send({ ...HELLO, token: 'wrong' })
      await client.closed()
    }
    const headers = { 'X-Forwarded-For': '10.0.0.9', 'X-Real-IP': '10.0.0.9', Forwarded: 'for=10.0.0.9' }
    expect((await upgrade(url, { Origin: PAGE, ...headers })).status).toBe(429)
  })

  it('lets only so many from one address stand at the door', async () => {
    const { url, connect, device } = await openEdge({ strangersPerAddress: 3 })
    await device('ada')
    const strangers = await Promise.all([connect(), connect(), connect()])
    expect(await refusedUpgrade(url, { origin: PAGE })).toBe(429)
    const [first, second] = strangers
    first?.send({ ...HELLO, token: await tokenOf('ada') })
    await first?.waitFor('ready')
    const third = await connect()
    expect(await refusedUpgrade(url, { origin: PAGE })).toBe(429)
    second?.cut()
    await until(
      () =>
        connect()
          .then((client) => client.close())
          .then(
            () => true,
            () => false,
          ),
      'there is room again',
    )
    third.cut()
  })
})

const expiredToken = (): string => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'ada', exp: Math.floor(Date.now() / 1000) - 60 })}`
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`
}

describe('hello', () => {
  it('is answered by ready, with everything that a client needs to know', async () => {
    const { connect } = await openEdge()
    const client = await connect()
    const ready = await client.hello({ token: await tokenOf('ada', 60_000), deviceId: 'd-1' })
    expect(ready).toMatchObject({ protocol: 1, userId: 'ada', recovered: false, reloadAfterMs: 0 })
    expect(ready.models).toEqual([
      { id: 'demo', label: 'Demo', default: true },
      { id: 'other', label: 'Other', default: false },
    ])
    expect(ready.limits.text).toBe(10_000)
    expect(ready.expiresAt).toBeGreaterThan(Date.now())
    expect(ready.expiresAt).toBeLessThanOrEqual(Date.now() + 61_000)
  })

  it('closes with 4001 whoever says nothing', async () => {
    const { connect } = await openEdge({ times: { helloMs: 200 } })
    const client = await connect()
    expect(await client.closed()).toMatchObject({ code: 4001 })
  })

  it('closes with 1013 when the hello could not be accepted in time, and leaves nothing behind', async () => {
    const { connect, tamper, memory } = await openEdge({ times: { helloMs: 200 } })
    const register = tamper.stop('registry', 'register')
    const client = await connect()
    client.send({ ...HELLO, token: await tokenOf('ada') })
    await register.reached
    expect(await client.waitFor('error')).toMatchObject({ code: 'unavailable', retryable: true })
    expect(await client.closed()).toMatchObject({ code: 1013 })
    register.goOn()
    await until(() => memory.sizes().connections === 0, 'the registry is empty')
    expect(memory.sizes().subscriptions).toBe(0)
  })

  it('does not hold the time for a hello against a connection that is open', async () => {
    const { device } = await openEdge({ times: { helloMs: 300 } })
    const client = await device('ada')
    const from = Date.now()
    while (Date.now() - from < 600) await echo(client)
    expect(client.end).toBeUndefined()
  })

  it.each([
    ['another frame', { type: 'ping' }],
    ['a message', { type: 'message.send', clientMessageId: 'c-1', text: 'hello' }],
    ['no JSON', 'hello'],
    ['an unknown type', { type: 'hallo' }],
    ['a hello without a device', { type: 'hello', token: 't' }],
    ['a hello with an unknown field', { ...HELLO, token: 't', userId: 'eve' }],
    ['a binary hello', new TextEncoder().encode(JSON.stringify({ ...HELLO, token: 't' }))],
    ['a hello above 4 096 bytes', { ...HELLO, token: 't'.repeat(4_096) }],
    ['something above 4 096 bytes', 'x'.repeat(5_000)],
  ])('closes with 4200 when the first frame is %s', async (_what, frame) => {
    const { connect } = await openEdge()
    const client = await connect()
    client.send(frame)
    expect(await client.closed()).toMatchObject({ code: 4200 })
  })

  it('takes a hello of exactly 4 096 bytes', async () => {
    const { connect } = await openEdge()
    const client = await connect()
    const rest = JSON.stringify({ ...HELLO, token: await tokenOf('ada'), client: '' }).length
    client.send(`${JSON.stringify({ ...HELLO, token: await tokenOf('ada'), client: '' })}${' '.repeat(4_096 - rest)}`)
    await client.waitFor('ready')
  })

  it('says what is wrong with an invalid hello before it closes', async () => {
    const { connect } = await openEdge()
    const client = await connect()
    client.send({ type: 'hello', requestId: 'r-1', deviceId: 'not an id' })
    expect(await client.waitFor('error')).toMatchObject({
      code: 'invalid_frame',
      field: 'deviceId',
      requestId: 'r-1',
    })
    expect(await client.closed()).toMatchObject({ code: 4200 })
  })

  it.each([
    ['nonsense', async () => 'nonsense', 'unauthorized', 4100],
    ['a token signed by somebody else', async () => `${(await tokenOf('ada')).slice(0, -4)}AAAA`, 'unauthorized', 4100],
    ['an expired token', async () => expiredToken(), 'token_expired', 4101],
    ['no token', async () => undefined, 'unauthorized', 4100],
  ])('answers %s with an error and then closes', async (_what, make, code, closeCode) => {
    const { connect } = await openEdge()
    const client = await connect()
    const token = await make()
    client.send({ ...HELLO, requestId: 'r-1', ...(token !== undefined && { token }) })
    expect(await client.waitFor('error')).toMatchObject({ code, requestId: 'r-1' })
    expect(await client.closed()).toMatchObject({ code: closeCode })
  })

  it('takes the token from the Authorization header, without an Origin', async () => {
    const { url } = await openEdge()
    const options: WireOptions = { headers: { Authorization: `Bearer ${await tokenOf('ada')}` } }
    const client = await connectWire(url, Object.assign(options, { origin: undefined }))
    client.send(HELLO)
    expect((await client.waitFor('ready')).userId).toBe('ada')
    client.cut()
  })

  it('closes with 4200 at a second hello', async () => {
    const { device } = await openEdge()
    const client = await device('ada')
    client.send({ ...HELLO, token: await tokenOf('ada') })
    expect(await client.closed()).toMatchObject({ code: 4200 })
  })

  it('closes with 4200 at a second hello while the first is looked at, and leaves nothing behind', async () => {
    const { connect, tamper, memory } = await openEdge()
    const register = tamper.stop('registry', 'register')
    const client = await connect()
    client.send({ ...HELLO, token: await tokenOf('ada') })
    await register.reached
    client.send({ ...HELLO, token: await tokenOf('ada') })
    expect(await client.closed()).toMatchObject({ code: 4200 })
    register.goOn()
    await until(() => memory.sizes().connections === 0, 'the registry is empty')
  })

  it('keeps what is sent before ready, and answers it afterwards in order', async () => {
    const { connect, tamper } = await openEdge()
    const register = tamper.stop('registry', 'register')
    const client = await connect()
    client.send({ ...HELLO, token: await tokenOf('ada') })
    for (let i = 0; i < 16; i++) client.send({ type: 'ping', requestId: `p-${i}` })
    await register.reached
    register.goOn()
    await client.waitFor('pong', ({ requestId }) => requestId === 'p-15')
    const pongs = Array.from({ length: 16 }, (_, i) => ['pong', `p-${i}`])
    expect(client.frames.map((frame) => [frame.type, 'requestId' in frame ? frame.requestId : undefined])).toEqual([
      ['ready', undefined],
      ...pongs,
    ])
  })

  it.each([
    ['too many frames', Array.from({ length: 17 }, () => ({ type: 'ping' }))],
    ['a large frame', [{ type: 'message.send', clientMessageId: 'c-1', text: 'x'.repeat(4_096) }]],
  ])('closes with 4200 at %s before ready', async (_what, frames) => {
    const { connect, tamper } = await openEdge()
    const register = tamper.stop('registry', 'register')
    const client = await connect()
    client.send({ ...HELLO, token: await tokenOf('ada') })
    await register.reached
    for (const frame of frames) client.send(frame)
    expect(await client.closed()).toMatchObject({ code: 4200 })
    register.goOn()
  })

  it('closes with 1013 when nothing is known about a token, and counts it against nobody', async () => {
    const { connect, url } = await openEdge({
      memory: { limits: { handshakes: { points: 1, perMs: 60_000 } } },
      deps: {
        verify: { verify: () => Promise.reject(new Refusal('unavailable')), size: () => 0 },
      },
    })
    for (let i = 0; i < 3; i++) {
      const client = await connect()
      client.send({ ...HELLO, token: 'any' })
      expect(await client.waitFor('error')).toMatchObject({ code: 'unavailable', retryable: true })
      expect(await client.closed()).toMatchObject({ code: 1013 })
    }
    expect((await upgrade(url, { Origin: PAGE })).status).toBe(101)
  })

  it('shows a token in no log line, whatever was done with it (security 3)', async () => {
    const { url, connect, device, log } = await openEdge()
    const canary = 'canary-7f3a'
    const tokens = [`${await tokenOf('ada')}`, `${canary}.broken.token`, canary]
    await upgrade(url, { Origin: PAGE }, `/chat/ws?token=${canary}`)
    await upgrade(url, { Origin: `https://${canary}.net`, Authorization: `Bearer ${canary}` })
    await upgrade(url, { Authorization: `Bearer ${tokens[0]}` })
    for (const token of tokens) {
      const client = await connect()
      client.send({ ...HELLO, token })
      await Promise.race([client.closed(), client.waitFor('ready')])
      client.send({ type: 'hello', [canary]: canary })
      client.cut()
    }
    const client = await device('ada')
    client.send({ type: 'auth.refresh', token: canary })
    await client.waitFor('error')
    client.send({ type: 'auth.refresh', token: tokens[0], [canary]: 1 })
    client.send(`{"type":"${canary}"`)
    client.send({ type: canary })
    await client.waitFor('error', ({ code }) => code === 'unknown_type')
    const lines = log.join('')
    expect(lines).toContain('a token was refused')
    expect(lines).not.toContain(canary)
    for (const part of tokens[0]?.split('.') ?? []) expect(lines).not.toContain(part)
  })
})
