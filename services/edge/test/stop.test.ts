import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openEdge, sizeOf, tokenOf, until } from './support/open-edge.ts'

const deadline = (ms = 5_000) => AbortSignal.timeout(ms)

async function listenOn(port: number): Promise<Server> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('it does not listen')
  return address.port
}

/** As people give one: a port of the system's choosing is shared by other rules, and stays taken until every peer is gone. */
async function freePort(): Promise<number> {
  const found = await listenOn(0)
  const port = portOf(found)
  found.close()
  await once(found, 'close')
  return port
}

describe('an edge that stops (S9, P9)', () => {
  it('tells every socket when to come back, spread in time, and closes with 1012', async () => {
    const open = await openEdge({ times: { spreadMs: 60_000 } })
    const clients = await Promise.all(Array.from({ length: 30 }, (_, i) => open.device(`user-${i}`)))
    const stranger = await open.connect()
    await open.edge.stop(deadline())
    const waits = new Set<number>()
    for (const client of [...clients, stranger]) {
      expect(await client.closed()).toMatchObject({ code: 1012 })
      const last = client.frames.at(-1)
      expect(last).toMatchObject({ type: 'reconnect', reason: 'restart' })
      if (last?.type === 'reconnect') {
        expect(last.afterMs).toBeLessThanOrEqual(60_000)
        waits.add(last.afterMs)
      }
    }
    expect(waits.size).toBeGreaterThan(20)
  })

  it('leaves nothing behind: no row, no subscription, no port', async () => {
    const port = await freePort()
    const open = await openEdge({ deps: { listen: { host: '127.0.0.1', port } } })
    await Promise.all([open.device('ada'), open.device('ada'), open.device('bob')])
    await open.edge.stop(deadline())
    expect(open.memory.sizes()).toMatchObject({ connections: 0, subscriptions: 0, edges: 0 })
    expect(await open.metric('edge_connections')).toBe(0)
    const server = await listenOn(port)
    server.close()
  })

  it('can be told to stop twice, also at once', async () => {
    const open = await openEdge()
    const client = await open.device('ada')
    await Promise.all([open.edge.stop(deadline()), open.edge.stop(deadline())])
    await open.edge.stop(deadline())
    expect(await client.closed()).toMatchObject({ code: 1012 })
    expect(client.frames.filter(({ type }) => type === 'reconnect')).toHaveLength(1)
  })

  it('has stopped for the second one when it has for the first', async () => {
    const open = await openEdge()
    const leave = open.tamper.stop('registry', 'leave')
    const ended: string[] = []
    const first = open.edge.stop(deadline()).then(() => ended.push('first'))
    await leave.reached
    const second = open.edge.stop(deadline()).then(() => ended.push('second'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(ended).toEqual([])
    leave.goOn()
    await Promise.all([first, second])
    expect(ended).toEqual(['first', 'second'])
  })

  it('serves those inside until their moment comes, and spreads those moments over its time', async () => {
    const open = await openEdge({ times: { drainMs: 1_000, spreadMs: 100 } })
    const users = Array.from({ length: 60 }, (_, i) => `user-${i}`)
    const clients = await Promise.all(users.map((user) => open.device(user)))
    const from = Date.now()
    const ends = clients.map((client) => client.closed().then(({ code }) => ({ code, ms: Date.now() - from })))
    const stopping = open.edge.stop(deadline())
    const told = await Promise.all(clients.map((client) => client.waitFor('reconnect')))
    const [latest] = told.map(({ afterMs }, i) => ({ afterMs, i })).sort((a, b) => b.afterMs - a.afterMs)
    if (!latest) throw new Error('nobody was told')
    await open.storage.say(users[latest.i] ?? '', 'one more')
    await clients[latest.i]?.waitFor('message')
    await stopping
    const closed = await Promise.all(ends)
    expect(closed.every(({ code }) => code === 1012)).toBe(true)
    for (const third of [0, 1, 2]) {
      const within = told.filter(({ afterMs }) => Math.min(2, Math.floor(afterMs / 340)) === third)
      expect(within.length, `told to go in third ${third}`).toBeGreaterThan(5)
    }
    const soon = closed.filter((_, i) => (told[i]?.afterMs ?? 0) < 340).map(({ ms }) => ms)
    expect(Math.max(...soon)).toBeLessThan(Math.max(...closed.map(({ ms }) => ms)))
    // Nobody is closed before the moment that they were told, give or take a look round.
    for (const [i, { ms }] of closed.entries()) expect(ms).toBeGreaterThan((told[i]?.afterMs ?? 0) - 300)
  })

  it('ends as soon as everybody has left', async () => {
    const open = await openEdge({ times: { drainMs: 60_000 } })
    const client = await open.device('ada')
    const from = Date.now()
    const stopping = open.edge.stop(deadline(10_000))
    await client.waitFor('reconnect')
    await client.close()
    await stopping
    expect(Date.now() - from).toBeLessThan(5_000)
  })

  it('answers what was asked before it closes, though its moment has come', async () => {
    const open = await openEdge({ times: { finishMs: 5_000 } })
    const client = await open.device('ada')
    const entries = await open.storage.entries('ada')
    client.send({ type: 'message.send', clientMessageId: 'c-1', text: 'in time?' })
    const entry = await entries.next()
    const stopping = open.edge.stop(deadline(10_000))
    await client.waitFor('reconnect')
    await open.storage.accept(entry)
    await client.waitFor('message', ({ clientMessageId }) => clientMessageId === 'c-1')
    expect(await client.closed()).toMatchObject({ code: 1012 })
    await stopping
  })

  it('closes all that is left when its time is over', async () => {
    const open = await openEdge({ times: { drainMs: 60_000 } })
    const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => open.device(`user-${i}`)))
    const from = Date.now()
    await open.edge.stop(deadline(300))
    expect(Date.now() - from).toBeLessThan(3_000)
    for (const client of clients) expect(await client.closed()).toMatchObject({ code: 1012 })
  })

  it('gives up a hello that is under way, without a trace', async () => {
    const open = await openEdge()
    const subscribe = open.tamper.stop('bus', 'subscribe')
    const client = await open.connect()
    client.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd' })
    await subscribe.reached
    const stopping = open.edge.stop(deadline())
    expect(await client.closed()).toMatchObject({ code: 1012 })
    subscribe.goOn()
    await stopping
    await until(() => open.memory.sizes().subscriptions === 0, 'the subscription is gone')
    await until(() => open.memory.sizes().connections === 0, 'the row is gone')
  })

  it('lets a slow peer take what it was sent before it is cut', async () => {
    const open = await openEdge({ times: { finishMs: 10_000 } })
    const client = await open.device('ada')
    client.socket.pause()
    for (let i = 0; i < 600; i++) await open.storage.say('ada', `${i} ${'x'.repeat(9_000)}`)
    await until(() => open.memory.sizes().users > 0, 'all is said')
    await new Promise((resolve) => setImmediate(resolve))
    const stopping = open.edge.stop(deadline(10_000))
    setTimeout(() => client.socket.resume(), 300)
    expect(await client.closed()).toMatchObject({ code: 1012 })
    await stopping
    expect(client.frames.filter(({ type }) => type === 'message')).toHaveLength(600)
    expect(client.frames.at(-1)).toMatchObject({ type: 'reconnect' })
  })

  it('does not wait for ever for a peer that reads nothing', async () => {
    const open = await openEdge({ times: { finishMs: 200 } })
    const client = await open.device('ada')
    client.socket.pause()
    for (let i = 0; i < 600; i++) await open.storage.say('ada', `${i} ${'x'.repeat(9_000)}`)
    await new Promise((resolve) => setImmediate(resolve))
    const from = Date.now()
    await open.edge.stop(deadline())
    expect(Date.now() - from).toBeLessThan(3_000)
  })

  it('ends at its deadline whatever does not answer', async () => {
    const open = await openEdge({ times: { finishMs: 60_000 } })
    await open.device('ada')
    const leave = open.tamper.stop('registry', 'leave')
    await open.edge.stop(deadline(300))
    leave.goOn()
  })

  it('stops all the same when nothing can be reached any more', async () => {
    const open = await openEdge()
    const client = await open.device('ada')
    for (const method of ['unregister', 'leave']) {
      open.tamper.on('registry', method, () => Promise.reject(new Error('away')))
    }
    await open.edge.stop(deadline())
    expect(await client.closed()).toMatchObject({ code: 1012 })
    expect(open.log.join('')).toContain('a connection was not taken out of the registry')
  })
})

describe('an edge that cannot start', () => {
  it('because its port is in use says so with EADDRINUSE, and holds on to nothing', async () => {
    const taken = await listenOn(0)
    const port = portOf(taken)
    const open = await openEdge()
    const starting = openEdge({ deps: { fabric: open.fabric, listen: { host: '127.0.0.1', port } } })
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(open.memory.sizes().edges).toBe(1)
    taken.close()
  })

  it('because another edge has its port says so too', async () => {
    const listen = { host: '127.0.0.1', port: await freePort() }
    await openEdge({ deps: { listen } })
    const starting = openEdge({ deps: { listen } })
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('because the address is not of this machine says that', async () => {
    const starting = openEdge({ deps: { listen: { host: '192.0.2.1', port: 0 } } })
    await expect(starting).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  })
})

it('says where it listens and how much it holds', async () => {
  const open = await openEdge()
  expect(open.edge.addresses?.()).toEqual([open.url])
  await open.device('ada')
  expect(await sizeOf(open, 'connections')).toBe(1)
  expect(await sizeOf(open, 'feeds')).toBe(1)
  expect(await sizeOf(open, 'strangers')).toBe(0)
})
