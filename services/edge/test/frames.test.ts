import v8 from 'node:v8'
import vm from 'node:vm'
import { connectWire, type WireClient } from '@chatbox/testkit/wire'
import { describe, expect, it } from 'vitest'
import { echo, openEdge, PAGE, tokenOf, untilEmpty } from './support/open-edge.ts'

const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

/** The error that answers a frame, and then a healthy echo on the same connection. */
async function refused(client: WireClient, frame: Parameters<WireClient['send']>[0]) {
  const from = client.frames.length
  client.send(frame)
  const error = await client.waitFor('error', undefined, from)
  await echo(client)
  return error
}

describe('a frame that is wrong is answered by an error, and the connection lives (M1)', () => {
  it.each([
    ['nonsense', 'nonsense', 'invalid_json'],
    ['an empty frame', '', 'invalid_json'],
    ['a list', '[]', 'invalid_json'],
    ['null', 'null', 'invalid_json'],
    ['half a frame', '{"type":"ping"', 'invalid_json'],
    ['a byte order mark', '\ufeff{"type":"ping"}', 'invalid_json'],
    ['binary', new TextEncoder().encode('{"type":"ping"}'), 'invalid_frame'],
    ['no type', '{}', 'invalid_frame'],
    ['a type that is no string', '{"type":{"$gt":""}}', 'invalid_frame'],
    ['an unknown type', '{"type":"shutdown"}', 'unknown_type'],
    ['the type of a prototype', '{"type":"__proto__"}', 'unknown_type'],
    ['a frame of the server', '{"type":"pong","ts":1}', 'unknown_type'],
    ['an unknown field', '{"type":"ping","role":"admin"}', 'invalid_frame'],
    ['a user id', '{"type":"message.send","clientMessageId":"c","text":"t","userId":"eve"}', 'invalid_frame'],
    ['a seq', '{"type":"message.send","clientMessageId":"c","text":"t","seq":7}', 'invalid_frame'],
    ['__proto__', '{"type":"ping","__proto__":{"polluted":true}}', 'invalid_frame'],
    ['a constructor', '{"type":"ping","constructor":{"prototype":{"polluted":true}}}', 'invalid_frame'],
    ['10 000 levels', `{"type":"ping","x":${deep(10_000)}}`, 'invalid_frame'],
    ['10 000 levels in an id', `{"type":"session.end","sid":${deep(10_000)}}`, 'invalid_frame'],
    ['a query in a session id', '{"type":"session.end","sid":{"$gt":""}}', 'invalid_frame'],
    ['a path in a session id', '{"type":"session.end","sid":"../../x"}', 'invalid_frame'],
    ['a query in an answer id', '{"type":"answer.cancel","sid":"s","answerId":{"$gt":""}}', 'invalid_frame'],
    ['a query in a message id', '{"type":"message.send","clientMessageId":{"$gt":""},"text":"t"}', 'invalid_frame'],
    ['an empty message', '{"type":"message.send","clientMessageId":"c","text":" \\u0000 "}', 'invalid_frame'],
    ['one byte above the limit', `{"type":"ping"}${' '.repeat(65_537 - 15)}`, 'too_large'],
    ['the most that the transport takes', `{"type":"ping"}${' '.repeat(131_072 - 15)}`, 'too_large'],
  ])('%s', async (_what, frame, code) => {
    const { device, memory } = await openEdge()
    const client = await device('ada')
    expect((await refused(client, frame)).code).toBe(code)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(memory.sizes().entries).toBe(0)
  })

  it('takes a frame of exactly the limit', async () => {
    const { device } = await openEdge()
    const client = await device('ada')
    client.send(`{"type":"ping","requestId":"r"}${' '.repeat(65_536 - 31)}`)
    await client.waitFor('pong', ({ requestId }) => requestId === 'r')
  })

  it('takes a character that is split over two fragments', async () => {
    const { device } = await openEdge()
    const client = await device('ada')
    const bytes = Buffer.from('{"type":"message.send","clientMessageId":"c-1","text":"🚀","sid":"s","modelId":"no"}')
    const middle = bytes.indexOf(Buffer.from('🚀')) + 2
    client.socket.send(bytes.subarray(0, middle), { fin: false, binary: false })
    client.socket.send(bytes.subarray(middle), { fin: true, binary: false })
    expect((await client.waitFor('error')).field).toBe('modelId')
    await echo(client)
  })

  it.each([
    ['above what the transport takes', Buffer.alloc(131_073, 0x20)],
    ['far above it', Buffer.alloc(2_000_000, 0x20)],
    ['that is not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['with an overlong encoding', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ])('a frame %s ends the connection, and leaves nothing behind', async (_what, bytes) => {
    const open = await openEdge()
    const client = await open.device('ada')
    const neighbour = await open.device('bob')
    client.socket.send(bytes, { binary: false })
    expect((await client.closed()).code).toBe(1006)
    await echo(neighbour)
    await neighbour.close()
    await untilEmpty(open)
  })

  it('says which request was wrong, but repeats only harmless ids', async () => {
    const { device } = await openEdge()
    const client = await device('ada')
    expect(await refused(client, { type: 'ping', requestId: 'r-1', x: 1 })).toMatchObject({ requestId: 'r-1' })
    const message = { type: 'message.send', requestId: 'r-2', clientMessageId: 'c-2', text: '' }
    expect(await refused(client, message)).toMatchObject({ requestId: 'r-2', clientMessageId: 'c-2', field: 'text' })
    const hostile = await refused(client, { type: 'ping', requestId: '<script>', x: 1 })
    expect(hostile.requestId).not.toContain('<')
  })

  it('refuses what later versions serve, with the session it was about', async () => {
    const { device } = await openEdge()
    const client = await device('ada')
    for (const type of ['session.watch', 'session.takeover', 'help.request'] as const) {
      expect(await refused(client, { type, sid: 's-1', requestId: type })).toMatchObject({
        code: 'not_supported',
        requestId: type,
        sid: 's-1',
      })
    }
  })

  it('logs what was wrong, and nothing of what it said', async () => {
    const { device, log } = await openEdge()
    const client = await device('ada')
    await refused(client, { type: 'message.send', clientMessageId: 'c-1', text: 'canary-text', evil: 'canary-field' })
    await refused(client, '{"type":"canary-type"}')
    await refused(client, 'canary-nonsense')
    const lines = log.filter((line) => line.includes('a frame was refused')).map((line) => JSON.parse(line))
    expect(lines).toHaveLength(3)
    for (const line of lines) {
      expect(line).toMatchObject({
        connectionId: expect.any(String),
        length: expect.any(Number),
        code: expect.any(String),
      })
    }
    expect(log.join('')).not.toContain('canary')
  })
})

describe('misbehaving', () => {
  it('closes with 4200 at the 20th invalid frame within 10 s', async () => {
    const { device } = await openEdge()
    const client = await device('ada')
    for (let i = 0; i < 19; i++) client.send('nonsense')
    await echo(client)
    expect(client.end).toBeUndefined()
    client.send('nonsense')
    expect(await client.closed()).toMatchObject({ code: 4200 })
    expect(client.frames.filter(({ type }) => type === 'error')).toHaveLength(20)
  })

  it('counts binary and oversized frames as well', async () => {
    const { device } = await openEdge()
    const client = await device('ada')
    for (let i = 0; i < 10; i++) {
      client.send(new Uint8Array(4))
      client.send(' '.repeat(65_537))
    }
    expect(await client.closed()).toMatchObject({ code: 4200 })
  })

  it('answers a handler that fails with internal, and goes on (M2)', async () => {
    const { device, tamper, log } = await openEdge()
    const client = await device('ada')
    const heal = tamper.on('limiter', 'consume', () => Promise.reject(new Error('the limiter fell over')))
    const message = { type: 'message.send', requestId: 'r-1', clientMessageId: 'c-1', text: 'canary' }
    expect(await refused(client, message)).toMatchObject({
      code: 'internal',
      retryable: true,
      requestId: 'r-1',
      clientMessageId: 'c-1',
    })
    heal()
    const mend = tamper.on('limiter', 'consume', () => {
      throw new Error('the limiter fell over')
    })
    expect(await refused(client, { type: 'session.end', sid: 's-1' })).toMatchObject({
      code: 'internal',
      sid: 's-1',
    })
    mend()
    expect(log.join('')).toContain('a handler failed')
    expect(log.join('')).not.toContain('canary')
  })

  it('by floods of pings and of fragments keeps no neighbour waiting', async () => {
    const open = await openEdge({ keepLog: false })
    const [flooding, neighbour] = [await open.device('ada'), await open.device('bob')]
    let flooded = true
    const flood = (async () => {
      for (let i = 0; i < 60 && flooding.end === undefined; i++) {
        for (let n = 0; n < 500; n++) flooding.socket.ping()
        // One message in a thousand pieces, that is too large as a whole.
        for (let n = 0; n < 1_000; n++) flooding.socket.send(' '.repeat(n === 0 ? 1 : 70), { fin: n === 999 })
        await new Promise((resolve) => setImmediate(resolve))
      }
      flooded = false
    })()
    let slowest = 0
    while (flooded) {
      const from = Date.now()
      await echo(neighbour)
      slowest = Math.max(slowest, Date.now() - from)
    }
    await flood
    expect(slowest).toBeLessThan(2_000)
    await echo(await open.device('eve'))
  })

  it('keeps its memory flat over 50 000 bad frames on 2 500 connections (P10)', { timeout: 100_000 }, async () => {
    const open = await openEdge({ keepLog: false })
    const token = await tokenOf('ada')
    const bad = [
      'nonsense',
      '{"type":"x"}',
      `{"type":"ping","x":${deep(500)}}`,
      new Uint8Array(64),
      '{"type":"ping","__proto__":1}',
    ]

    async function misbehave(deviceId: string): Promise<void> {
      for (let i = 0; i < 100; i++) {
        const client = await connectWire(open.url, { origin: PAGE })
        await client.hello({ token, deviceId })
        for (let n = 0; n < 20; n++) client.send(bad[n % bad.length] ?? '')
        await client.closed()
        expect(client.frames.filter(({ type }) => type === 'error')).toHaveLength(20)
      }
    }
    const round = () => Promise.all(['a', 'b', 'c', 'd', 'e'].map(misbehave))

    await round()
    await untilEmpty(open)
    const before = heapInUse()
    for (let i = 0; i < 4; i++) await round()
    await untilEmpty(open)
    const grown = heapInUse() - before
    expect(grown).toBeLessThan(2_000_000)
    await echo(await open.device('ada'))
  })
})

/** After everything that can be let go was let go. */
function heapInUse(): number {
  v8.setFlagsFromString('--expose-gc')
  const collect = vm.runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
