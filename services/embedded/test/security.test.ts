import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { signToken } from '@chatbox/runtime'
import { connectWire, refusedUpgrade } from '@chatbox/testkit/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cleanUp, dataFolder, type System, say, startSystem } from './system.ts'

/** A request whose Host header says what we like, as a foreign name that resolves to this machine would. */
function ask(url: string, options: { method?: string; path: string; headers: Record<string, string>; body?: string }) {
  const { hostname, port } = new URL(url)
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const { method = 'GET', path, headers, body } = options
    const sent = request({ hostname, port, method, path, headers }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part) => parts.push(part))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(parts).toString() }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('a foreign page', () => {
  let system: System
  let own: string
  beforeAll(async () => {
    system = await startSystem()
    own = new URL(system.url).host
  })
  afterAll(cleanUp)

  const json = { 'content-type': 'application/json' }
  const token = (headers: Record<string, string>) =>
    ask(system.url, {
      method: 'POST',
      path: '/chat/demo/token',
      headers: { host: own, ...json, ...headers },
      body: '{}',
    })

  it('gets no demo token by any header it can send', async () => {
    expect((await token({ origin: `http://${own}` })).status).toBe(200)
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://${own}.evil.example` },
      { origin: `http://evil.example`, host: 'evil.example' },
      { host: `evil.example:${new URL(system.url).port}` },
      { host: 'localhost.evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'content-type': 'text/plain' },
    ]) {
      const { status, headers: answered, text } = await token(headers)
      expect([status, JSON.stringify(headers)]).toEqual([403, JSON.stringify(headers)])
      expect(text).not.toContain('eyJ')
      expect(answered['access-control-allow-origin']).toBeUndefined()
    }
  })

  it('gets nothing at all under a host name that only resolves to this machine', async () => {
    for (const path of ['/', '/page.js', '/chat/sessions', '/chat/healthz', '/metrics', '/chat/demo/token']) {
      expect((await ask(system.url, { path, headers: { host: 'rebound.example' } })).status).toBe(403)
    }
  })

  it('opens no socket', async () => {
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `https://${own}` },
      { origin: `http://${own}`, host: 'rebound.example' },
      { origin: 'http://rebound.example', host: 'rebound.example' },
      { origin: `http://${own}`.toUpperCase() },
    ]) {
      expect([await refusedUpgrade(system.url, { headers }), headers]).toEqual([403, headers])
    }
    expect(await refusedUpgrade(system.url)).toBe(403)
  })

  it('is refused with its token in the URL, and that token is in no log line (security 3)', async () => {
    const path = '/chat/ws?token=canary-token-in-a-url'
    const headers = { host: own, origin: `http://${own}`, connection: 'Upgrade', upgrade: 'websocket' }
    const nonce = Buffer.from('sixteen letters!').toString('base64')
    const key = { 'sec-websocket-key': nonce, 'sec-websocket-version': '13' }
    expect((await ask(system.url, { path, headers: { ...headers, ...key } })).status).toBe(400)
    expect(system.process.output()).not.toContain('canary-token')
  })
})

describe('demo tokens', () => {
  afterEach(cleanUp)

  const asked = async (url: string) => {
    const headers = { 'content-type': 'application/json' }
    return (await fetch(new URL('/chat/demo/token', url), { method: 'POST', headers, body: '{}' })).status
  }

  it("are for the person at this machine: none with a secret of one's own, none where others can reach it (X1)", async () => {
    const secret = randomBytes(32).toString('base64url')
    const closed = await startSystem({ env: { JWT_SECRET: secret } })
    expect(await asked(closed.url)).toBe(401)
    const open = await startSystem({ env: { HOST: '0.0.0.0' } })
    expect(new URL(open.url).hostname).toBe('127.0.0.1')
    expect(await asked(open.url)).toBe(401)
    // And whoever starts it is told so at once.
    for (const { process } of [closed, open])
      await process.waitForOutput(/Pages bring their own tokens: docs\/embedding.md\n/)
  })

  it('that are offered need no word in the greeting', async () => {
    const system = await startSystem()
    await system.process.waitForOutput(/stop with Ctrl-C/)
    expect(system.process.output()).not.toContain('tokens')
    expect(await asked(system.url)).toBe(200)
  })
})

describe('the keys of an installation', () => {
  afterEach(cleanUp)

  it('are its own: made at its first start, and it does not start with those of another', async () => {
    const [one, other] = [dataFolder(), dataFolder()]
    for (const data of [one, other]) {
      const system = await startSystem({ data })
      const device = await system.device('tab')
      await say(device, 'Hello')
      await device.waitFor('answer.done')
      system.process.kill('SIGTERM')
      await system.process.exited
    }
    const secrets = (data: string) => JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8'))
    for (const key of ['jwtSecret', 'encryptionKey', 'sessionSecret'])
      expect(secrets(one)[key]).not.toBe(secrets(other)[key])

    writeFileSync(join(one, 'secrets.json'), readFileSync(join(other, 'secrets.json')))
    await expect(startSystem({ data: one })).rejects.toThrow(/1 session is sealed by a key k1 that is another/)
  })
})

describe('the page', () => {
  afterAll(cleanUp)

  it('comes with a policy that lets nothing in from elsewhere, and is not sent twice', async () => {
    const { url } = await startSystem()
    const first = await fetch(url)
    expect(first.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    const again = await fetch(url, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
    expect((await fetch(new URL('/page.css.map', url))).status).toBe(404)
    expect((await fetch(new URL('/..%2f..%2fsecrets.json', url))).status).toBe(404)
  })
})

describe('a canary', () => {
  afterEach(cleanUp)

  it('sent as message, name, token and key is found in no log line, not in the database and not in its log of writes (security 28)', async () => {
    const data = dataFolder()
    const secret = `canary-secret-${'q7Zp2vXw9Lk4'.repeat(3)}`
    const key = Buffer.from(Array.from({ length: 32 }, (_, i) => (i * 89 + 41) % 256)).toString('base64')
    const env = { LOG_LEVEL: 'trace', JWT_SECRET: secret, ENCRYPTION_KEY: key }
    const system = await startSystem({ data, env })
    const token = await signToken({
      secret,
      userId: 'somebody',
      name: 'Canary Name-of-an-admin',
      roles: ['admin'],
      ttlMs: 600_000,
    })

    const device = await connectWire(system.url, { waitMs: 30_000 })
    await device.hello({ token, deviceId: 'tab' })
    const first = await say(device, 'canary-message first@canary.example\nand a canary-second-line')
    await device.waitFor('answer.done')
    device.send({ type: 'message.send', clientMessageId: 'x', text: 'canary-in-a-bad-frame', unknown: 'canary-field' })
    device.send('{"type":"message.send","text":"canary-not-json')
    device.send({ type: 'message.send', clientMessageId: 'y', sid: 'not-mine', text: 'canary-to-a-foreign-session' })
    await device.waitFor('error', (frame) => frame.code === 'not_found')
    const read = await fetch(new URL(`/chat/sessions/${first.sid}`, system.url), {
      headers: { authorization: `Bearer ${token}` },
    })
    // It is there, and it can be read by who may.
    expect(await read.text()).toContain('canary-message')

    const metrics = await (await fetch(new URL('/metrics', system.url))).text()
    expect(metrics).toContain('chatbox_edge_connections')

    const places = () => [
      ['log', system.process.output()] as const,
      ['metrics', metrics] as const,
      ...readdirSync(data)
        .filter((file) => file !== 'secrets.json')
        .map((file) => [file, readFileSync(join(data, file), 'latin1')] as const),
    ]
    const canaries = [
      /canary/i,
      new RegExp(token.split('.')[2] ?? 'never'),
      new RegExp(key.slice(0, 20).replaceAll('+', '\\+')),
    ]
    const found = () =>
      places().flatMap(([place, text]) =>
        canaries.filter((canary) => canary.test(text)).map((canary) => [place, String(canary)]),
      )
    expect(readdirSync(data)).toContain('chatbox.db-wal')
    expect(found()).toEqual([])

    system.process.kill('SIGTERM')
    await system.process.exited
    expect(found()).toEqual([])
    expect(readFileSync(join(data, 'chatbox.db')).byteLength).toBeGreaterThan(10_000)
  })

  it('in the data folder can be read by its owner alone', async () => {
    const data = dataFolder()
    await startSystem({ data })
    expect(statSync(data).mode & 0o777).toBe(0o700)
    expect(statSync(join(data, 'secrets.json')).mode & 0o777).toBe(0o600)
    expect(statSync(join(data, 'chatbox.db')).mode & 0o777).toBe(0o600)
  })
})
