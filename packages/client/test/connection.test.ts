import { describe, expect, test, vi } from 'vitest'
import { ChatError } from '../src/index.ts'
import { barrier, connected, observed, server } from './helpers/client.ts'
import { accepted } from './helpers/frames.ts'
import { readyFrame } from './helpers/server.ts'

const state = (kind: string) => (now: { kind: string }) => now.kind === kind

describe('hello and resume', () => {
  test('hello is the first frame: token, device, client, and nothing to resume from', async () => {
    const started = await server()
    const { chat, until, heard } = observed(started, { token: async () => 'jwt', deviceId: 'tab-7' })
    expect(chat.state).toEqual({ kind: 'idle' })
    chat.connect()
    chat.connect()
    const peer = await started.peer()
    await peer.welcome()
    await until('ready')
    expect(peer.frames[0]).toEqual({
      type: 'hello',
      token: 'jwt',
      deviceId: 'tab-7',
      client: expect.stringMatching(/^chatbox-client\/\d/),
    })
    expect(started.connections).toBe(1)
    expect(chat.userId).toBe('ann')
    expect(chat.models).toMatchObject([{ id: 'demo' }])
    expect(heard.state.map((now) => now.kind)).toEqual(['connecting', 'open'])
  })

  test('it resumes from the last position it has seen', async () => {
    const { server, peer, until } = await connected()
    peer.send(accepted({ clientMessageId: 'x' }, { at: 'p8' }))
    await until('message')
    peer.terminate()
    expect(await (await server.peer()).next('hello')).toMatchObject({ resume: 'p8' })
  })

  test('while missed events are still to come, the position of `ready` is not taken for seen', async () => {
    const { server, peer, until } = await connected()
    peer.terminate()
    const second = await server.peer()
    await second.welcome({ recovered: true, at: 'p99' })
    await until('ready', (ready) => ready.recovered)
    second.terminate()
    expect(await (await server.peer()).next('hello')).toMatchObject({ resume: 'p0' })
  })

  test('positions in the log of somebody else are not its own', async () => {
    const { chat, server, peer, until, heard } = await connected()
    peer.send({ ...accepted({ clientMessageId: 'x' }, { at: 'q5' }), of: 'carl' })
    peer.send({ type: 'notice', code: 'shutdown', message: 'soon' })
    await until('notice')
    expect(heard.message).toEqual([])
    peer.terminate()
    expect(await (await server.peer()).next('hello')).toMatchObject({ resume: 'p0' })
    expect(chat.state.kind).toBe('connecting')
  })

  test('a `ready` in the midst that could not recover gives the new position', async () => {
    const { server, peer, until } = await connected()
    peer.send(readyFrame({ at: 'p50' }))
    await until('ready', (ready) => ready.at === 'p50')
    peer.terminate()
    expect(await (await server.peer()).next('hello')).toMatchObject({ resume: 'p50' })
  })
})

describe('what it does after a close', () => {
  test.each([1001, 1011, 1012, 1013, 4000, 4001, 4002, 4003, 4099, 4500])('%i: comes back', async (code) => {
    const { server, peer, until } = await connected()
    peer.close(code)
    expect(await until('state', state('waiting'))).toHaveProperty('at')
    await (await server.peer()).welcome({ recovered: true })
    await until('ready', (ready) => ready.recovered)
  })

  test.each([
    [1000, 'normal'],
    [1009, 'message_too_big'],
    [4200, 'protocol_error'],
    [4201, 'replaced'],
    [4202, 'connection_limit'],
    [4203, 'forbidden'],
    [4204, 'disabled'],
    [4299, 'whatever'],
  ])('%i: stops, and says %s', async (code, reason) => {
    const { chat, server, peer, until, heard } = await connected()
    peer.close(code, 'whatever')
    expect(await until('state', state('stopped'))).toEqual({ kind: 'stopped', reason })
    expect(heard.state.map((now) => now.kind)).toEqual(['connecting', 'open', 'stopped'])

    chat.connect()
    await (await server.peer()).welcome({ connectionId: 'c2' })
    await until('ready', (ready) => ready.connectionId === 'c2')
  })

  test.each([4100, 4101, 4199])('%i: asks for a fresh token and comes back', async (code) => {
    const asked = vi.fn(({ fresh }: { fresh: boolean }) => (fresh ? 'fresh' : 'old'))
    const { server, peer, until } = await connected({ token: asked })
    peer.close(code)
    const again = await server.peer()
    expect(await again.welcome({ recovered: true })).toMatchObject({ token: 'fresh' })
    await until('ready', (ready) => ready.recovered)
    expect(asked.mock.calls).toEqual([[{ fresh: false }], [{ fresh: true }]])

    // It was let in meanwhile, so another refusal is a new story.
    again.close(code)
    await (await server.peer()).welcome({ connectionId: 'c3' })
    await until('ready', (ready) => ready.connectionId === 'c3')
  })

  test('a fresh token that is refused too: it stops, also when the network failed in between', async () => {
    const { server, peer, until } = await connected()
    peer.close(4101)
    const second = await server.peer()
    await second.next('hello')
    second.terminate()
    const third = await server.peer()
    await third.next('hello')
    third.close(4100)
    expect(await until('state', state('stopped'))).toEqual({ kind: 'stopped', reason: 'unauthorized' })
  })

  test('a reconnect frame says when to come back', async () => {
    const { server, peer, until } = await connected()
    const from = Date.now()
    peer.send({ type: 'reconnect', afterMs: 250, reason: 'restart' })
    peer.close(1012)
    const waiting = await until('state', state('waiting'))
    expect(waiting.kind === 'waiting' && waiting.at - from).toBeGreaterThanOrEqual(250)
    await server.peer()
    expect(Date.now() - from).toBeGreaterThanOrEqual(248)
  })

  test('so does retryAfterMs in an error that answers no message', async () => {
    const { peer, until } = await connected()
    const from = Date.now()
    peer.send({ type: 'error', code: 'rate_limited', message: 'x', retryable: true, requestId: 'r', retryAfterMs: 900 })
    peer.close(4003)
    const waiting = await until('state', state('waiting'))
    expect(waiting.kind === 'waiting' && waiting.at - from).toBeGreaterThanOrEqual(900)
  })

  test('a time that is over when the connection ends says nothing any more', async () => {
    const { chat, peer, until } = await connected({ tuning: { backoffBaseMs: 5_000, backoffCapMs: 5_000 } })
    peer.send({ type: 'reconnect', afterMs: 0, reason: 'restart' })
    await barrier(chat, peer)
    peer.close(1012)
    const waiting = await until('state', state('waiting'))
    expect(waiting.kind === 'waiting' && waiting.at - Date.now()).toBeGreaterThan(2_000)
  })

  test('the delays grow while it is not let in, and start small again after a steady connection', async () => {
    const started = await server()
    const { chat, heard, until, delays } = observed(started, { random: () => 0.999 })
    chat.connect()
    for (let round = 0; round < 4; round++) (await started.peer()).terminate()
    const peer = await started.peer()
    await peer.welcome()
    await until('ready')
    peer.terminate()
    await until('state', () => heard.state.filter(state('waiting')).length === 5)
    expect(delays[3]).toBeGreaterThan(40)
    expect(delays[4]).toBeLessThanOrEqual(20)
  })
})

describe('trouble on the way to a connection', () => {
  test('a token that could not be had is an error, and asked for again', async () => {
    const started = await server()
    let asked = 0
    const { chat, until } = observed(started, {
      token() {
        if (++asked < 3) throw new Error('the network')
        return 'token'
      },
    })
    chat.connect()
    expect(await until('error')).toMatchObject({ code: 'unauthorized', retryable: true })
    await (await started.peer()).welcome()
    await until('ready')
    expect(asked).toBe(3)
  })

  test('a final ChatError from `token` stops it', async () => {
    const token = () => Promise.reject(new ChatError({ code: 'forbidden', message: 'signed out', retryable: false }))
    const { chat, until } = observed(await server(), { token })
    chat.connect()
    expect(await until('state', state('stopped'))).toEqual({ kind: 'stopped', reason: 'forbidden' })
  })

  test('a server that never says ready is left and tried again', async () => {
    const started = await server()
    const { chat, until } = observed(started, { tuning: { connectMs: 60 } })
    chat.connect()
    const deaf = await started.peer()
    await deaf.next('hello')
    await deaf.closed
    await (await started.peer()).welcome()
    await until('ready')
  })

  test('a token that never comes is waited for no longer than that', async () => {
    const started = await server()
    let asked = 0
    const { chat, until } = observed(started, {
      token: () => (++asked === 1 ? new Promise<string>(() => undefined) : 'token'),
      tuning: { connectMs: 500 },
    })
    chat.connect()
    await (await started.peer()).welcome()
    await until('ready')
    expect(asked).toBe(2)
  })

  test('nobody there: it keeps trying and is there when the server is', async () => {
    const started = await server()
    const url = started.url
    await started.stop()
    const { chat, until, heard } = observed({ ...started, url })
    chat.connect()
    await until('state', () => heard.state.filter(state('waiting')).length === 3)
    expect(chat.state.kind).not.toBe('stopped')
  })

  test('three upgrades in a row that were refused are told once, and it goes on trying', async () => {
    const started = await server()
    started.refuseUpgrades(4)
    const { chat, heard, until } = observed(started)
    chat.connect()
    expect(await until('error')).toMatchObject({ code: 'unreachable', retryable: true })
    expect(heard.state.filter(state('waiting'))).toHaveLength(3)
    const peer = await started.peer()
    await peer.welcome()
    await until('ready')
    expect(heard.error).toHaveLength(1)

    // It was let in meanwhile, so three more are a new story.
    started.refuseUpgrades(2)
    peer.terminate()
    const second = await started.peer()
    await second.welcome({ recovered: true })
    await until('ready', (ready) => ready.recovered)
    expect(heard.error).toHaveLength(1)
    started.refuseUpgrades(3)
    second.terminate()
    await until('error', () => heard.error.length === 2)
  })

  test('a server that lets it in and then ends the connection was reached', async () => {
    const started = await server()
    const { chat, heard } = observed(started)
    chat.connect()
    for (let round = 0; round < 4; round++) {
      const peer = await started.peer()
      await peer.next('hello')
      peer.terminate()
    }
    await started.peer()
    expect(heard.error).toEqual([])
  })

  test('close while the token is awaited leaves nothing behind', async () => {
    const started = await server()
    let give: (token: string) => void = () => undefined
    const { chat, until, heard } = observed(started, {
      token: () => new Promise<string>((resolve) => (give = resolve)),
    })
    chat.connect()
    chat.close()
    expect(chat.state).toEqual({ kind: 'stopped', reason: 'closed' })
    give('token')
    chat.connect()
    give('token')
    await (await started.peer()).welcome()
    await until('ready')
    expect(started.connections).toBe(1)
    expect(heard.state.map((now) => now.kind)).toEqual(['connecting', 'stopped', 'connecting', 'open'])
  })

  test('a listener that closes on `open` is obeyed', async () => {
    const started = await server()
    const { chat, heard, until } = observed(started)
    chat.on('state', (now) => {
      if (now.kind === 'open') chat.close()
    })
    chat.connect()
    const peer = await started.peer()
    await peer.welcome()
    await until('state', state('stopped'))
    expect(await peer.closed).toBe(1000)
    expect(heard.ready).toEqual([])
  })

  test('a listener that closes on `ready` is not asked to reload, until there is a connection again', async () => {
    const started = await server()
    const { chat, heard, until } = observed(started)
    const leave = chat.on('ready', () => chat.close())
    chat.connect()
    await (await started.peer()).welcome()
    await until('state', state('stopped'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard.reload).toEqual([])
    leave()
    chat.connect()
    await (await started.peer()).welcome({ recovered: true })
    await until('reload')
  })

  test('no WebSocket on the platform is said at once', async () => {
    vi.stubGlobal('WebSocket', undefined)
    const { createChat } = await import('../src/index.ts')
    const chat = createChat({ url: 'http://localhost', token: () => 't' })
    expect(() => chat.connect()).toThrow(/WebSocket/)
    vi.unstubAllGlobals()
  })
})

test('what is no frame is passed over', async () => {
  const { peer, until, heard } = await connected()
  for (const text of ['', 'nonsense', '[]', 'null', '"x"', '{}', '{"type":"from.the.future","at":"p3"}']) peer.raw(text)
  peer.send({ type: 'notice', code: 'shutdown', message: 'soon' })
  await until('notice')
  expect(heard.error).toEqual([])
})
