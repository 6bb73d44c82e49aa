import { deltaEvent, type Registration, Unavailable, userId } from '@chatbox/core'
import { createVerifier } from '@chatbox/runtime'
import type { WireClient } from '@chatbox/testkit/wire'
import { describe, expect, it, vi } from 'vitest'
import { echo, openEdge, SECRET, sizeOf, tokenOf, until, untilEmpty } from './support/open-edge.ts'
import type { Tampering } from './support/tamper.ts'

const events = (client: WireClient) => client.frames.filter(({ type }) => type !== 'ready' && type !== 'pong')

describe('devices of one user', () => {
  it('all get the same events in the same order (S2)', async () => {
    const { device, storage } = await openEdge()
    const clients = await Promise.all(Array.from({ length: 5 }, () => device('ada')))
    const stranger = await device('bob')
    const writing = await storage.ask('ada')
    for (let i = 0; i < 50; i++) {
      await writing.write(`word ${i} `)
      if (i % 10 === 0) await storage.say('ada', `message ${i}`, { sid: 'sid-2' })
    }
    await writing.done()
    for (const client of clients) await client.waitFor('answer.done')
    const [first, ...others] = clients
    if (!first) throw new Error('no device')
    expect(events(first)).toHaveLength(1 + 1 + 50 + 5 + 1)
    for (const other of others) expect(events(other)).toEqual(events(first))
    await echo(stranger)
    expect(events(stranger)).toEqual([])
  })

  it('are left alone when one of them closes', async () => {
    const { device, storage } = await openEdge()
    const [first, second] = [await device('ada'), await device('ada')]
    await first.close()
    await storage.say('ada', 'still there?')
    await second.waitFor('message')
  })

  it('share one subscription, which ends with the last of them', async () => {
    const open = await openEdge()
    const [first, second] = [await open.device('ada'), await open.device('ada')]
    expect(open.memory.sizes()).toMatchObject({ subscriptions: 1, connections: 2 })
    expect(await sizeOf(open, 'feeds')).toBe(1)
    await first.close()
    await until(() => open.memory.sizes().connections === 1, 'the first is gone')
    expect(open.memory.sizes().subscriptions).toBe(1)
    await second.close()
    await untilEmpty(open)
  })
})

describe('a device that comes again (S4)', () => {
  it('replaces its earlier connection, which is told and closed with 4201; the others stay', async () => {
    const { device, memory, metric, log } = await openEdge()
    const [old, other] = [await device('ada', 'd-1'), await device('ada', 'd-2')]
    const fresh = await device('ada', 'd-1')
    expect(await old.waitFor('notice')).toMatchObject({ code: 'replaced' })
    expect(await old.closed()).toMatchObject({ code: 4201 })
    expect(memory.sizes().connections).toBe(2)
    expect(await metric('edge_connections')).toBe(2)
    expect(await metric('edge_replaced_total')).toBe(1)
    expect(log.join('')).toContain('an earlier connection of this device gives way')
    await Promise.all([echo(other), echo(fresh)])
    expect(other.frames.some(({ type }) => type === 'notice')).toBe(false)
  })

  it('is not taken for the same device of another user', async () => {
    const { device } = await openEdge()
    const [ada, bob] = [await device('ada', 'd-1'), await device('bob', 'd-1')]
    await Promise.all([echo(ada), echo(bob)])
  })

  it('replaces one on another edge', async () => {
    const here = await openEdge()
    const there = await openEdge({ deps: { fabric: here.fabric } })
    const old = await here.device('ada', 'd-1')
    const fresh = await there.device('ada', 'd-1')
    expect(await old.closed()).toMatchObject({ code: 4201 })
    await echo(fresh)
    expect(here.memory.sizes().connections).toBe(1)
  })

  it('replaces one on another edge that missed the word, as soon as that edge knows that it missed something', async () => {
    let missed = (): void => undefined
    const listening = (tamper: Tampering) =>
      tamper.on('bus', 'listen', (proceed, _edge, _reply, gap) => {
        missed = gap as () => void
        return proceed()
      })
    const here = await openEdge({ times: { renewMs: 20 }, before: listening })
    const there = await openEdge({ deps: { fabric: here.fabric } })
    // Rounds of the beginning are over.
    let renewals = 0
    here.tamper.on('registry', 'renew', (proceed) => {
      renewals += 1
      return proceed()
    })
    await until(() => renewals > 3, 'it renews')
    const [old, other] = [await here.device('ada', 'd-1'), await here.device('ada', 'd-2')]
    const reply = vi.spyOn(here.memory.bus, 'reply').mockResolvedValue()
    const fresh = await there.device('ada', 'd-1')
    await until(() => reply.mock.calls.length === 1, 'the word is lost')
    await until(() => renewals > 6, 'it renews')
    await echo(old)
    missed()
    expect(await old.closed()).toMatchObject({ code: 4201 })
    for (const client of [fresh, other]) await echo(client)
    expect(here.memory.sizes().connections).toBe(2)
  })

  it('gets in even when its earlier connection could not be told', async () => {
    const { device, tamper, log } = await openEdge()
    await device('ada', 'd-1')
    tamper.on('bus', 'reply', () => Promise.reject(new Error('the bus fell over')))
    await echo(await device('ada', 'd-1'))
    await until(() => log.join('').includes('a connection was not told that it was replaced'), 'it is logged')
  })

  it('twice at once: one of the two stays', async () => {
    const open = await openEdge()
    for (let i = 0; i < 20; i++) {
      const [a, b] = await Promise.all([open.connect(), open.connect()])
      const token = await tokenOf('ada')
      for (const client of [a, b]) client.send({ type: 'hello', token, deviceId: 'd-1' })
      const loser = await Promise.race([a.closed().then(() => a), b.closed().then(() => b)])
      const winner = loser === a ? b : a
      expect(loser.end).toMatchObject({ code: 4201 })
      await winner.waitFor('ready')
      await echo(winner)
      expect(open.memory.sizes().connections).toBe(1)
      expect(await open.metric('edge_connections')).toBe(1)
    }
  })
})

describe('the cap of connections (S3)', () => {
  it('refuses the newcomer with an error and 4202, and tells the others', async () => {
    const open = await openEdge({ deps: { maxConnections: 3 } })
    const others = await Promise.all(['a', 'b', 'c'].map((id) => open.device('ada', id)))
    const newcomer = await open.connect()
    newcomer.send({ type: 'hello', requestId: 'r-1', token: await tokenOf('ada'), deviceId: 'd' })
    expect(await newcomer.waitFor('error')).toMatchObject({ code: 'connection_limit', requestId: 'r-1' })
    expect(await newcomer.closed()).toMatchObject({ code: 4202 })
    for (const other of others) {
      expect(await other.waitFor('notice')).toMatchObject({ code: 'connection_limit' })
      await echo(other)
    }
    expect(newcomer.frames.some(({ type }) => type === 'notice')).toBe(false)
    expect(open.memory.sizes().connections).toBe(3)
    expect(await open.metric('edge_connections')).toBe(3)
  })

  it('lets a device in that replaces its earlier connection, and another user', async () => {
    const { device } = await openEdge({ deps: { maxConnections: 2 } })
    await device('ada', 'a')
    await device('ada', 'b')
    await echo(await device('ada', 'b'))
    await echo(await device('bob', 'c'))
  })

  it('counts over all edges', async () => {
    const here = await openEdge({ deps: { maxConnections: 2 } })
    const there = await openEdge({ deps: { fabric: here.fabric, maxConnections: 2 } })
    await here.device('ada')
    await there.device('ada')
    const newcomer = await there.connect()
    newcomer.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd' })
    expect(await newcomer.closed()).toMatchObject({ code: 4202 })
  })

  it('admits exactly 10 of 50 at once', async () => {
    const open = await openEdge()
    const token = await tokenOf('ada')
    const clients = await Promise.all(Array.from({ length: 50 }, () => open.connect()))
    const ends = await Promise.all(
      clients.map(async (client, i) => {
        client.send({ type: 'hello', token, deviceId: `d-${i}` })
        return Promise.race([client.waitFor('ready').then(() => 'in'), client.closed().then(({ code }) => code)])
      }),
    )
    expect(ends.filter((end) => end === 'in')).toHaveLength(10)
    expect(ends.filter((end) => end === 4202)).toHaveLength(40)
    expect(open.memory.sizes().connections).toBe(10)
    await until(async () => (await open.metric('edge_connections')) === 10, 'the others are gone')
  })

  it('refuses with 4202 even when the others cannot be told', async () => {
    const { device, connect, tamper } = await openEdge({ deps: { maxConnections: 1 } })
    await device('ada')
    tamper.on('bus', 'signal', () => Promise.reject(new Error('the bus fell over')))
    const newcomer = await connect()
    newcomer.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd' })
    expect(await newcomer.closed()).toMatchObject({ code: 4202 })
  })
})

describe('a hello that breaks off', () => {
  const steps = [
    ['registry', 'register'],
    ['bus', 'subscribe'],
    ['bus', 'read'],
    ['answers', 'snapshot'],
  ] as const

  it.each(steps)('while it waits for %s.%s leaves nothing behind', async (port, method) => {
    const open = await openEdge()
    const at = (await (await open.device('ada')).waitFor('ready')).at
    await open.storage.say('ada', 'missed')
    for (const end of ['close', 'cut'] as const) {
      const step = open.tamper.stop(port, method)
      const client = await open.connect()
      client.send({ type: 'hello', token: await tokenOf(`user-${end}`), deviceId: 'd', resume: at })
      await step.reached
      if (end === 'cut') client.cut()
      else await client.close()
      await until(async () => (await open.metric('edge_connections')) === 1, 'the edge has noticed')
      step.goOn()
      await until(() => open.memory.sizes().connections === 1, 'its row is gone')
      await until(() => open.memory.sizes().subscriptions === 1, 'its subscription is gone')
      expect(await sizeOf(open, 'feeds')).toBe(1)
      expect(await sizeOf(open, 'strangers')).toBe(0)
    }
  })

  it.each(steps)('because %s.%s fails closes with 1011 and leaves nothing behind', async (port, method) => {
    const open = await openEdge()
    const at = await open.fabric.bus.top(userId('ada')).then(({ log, run }) => `${log}.${run}.0`)
    const heal = open.tamper.on(port, method, () => Promise.reject(new Error('it fell over')))
    const client = await open.connect()
    client.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd', resume: at })
    expect(await client.closed()).toMatchObject({ code: 1011 })
    heal()
    await untilEmpty(open)
    await echo(await open.device('ada', 'd'))
  })

  it('while its token is looked at is never registered', async () => {
    let looked = (): void => undefined
    let goOn = (): void => undefined
    const looking = new Promise<void>((resolve) => {
      looked = resolve
    })
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const verifier = createVerifier({ secret: SECRET })
    const open = await openEdge({
      deps: {
        verify: {
          size: () => 0,
          async verify(token) {
            const identity = await verifier.verify(token)
            looked()
            await held
            return identity
          },
        },
      },
    })
    let registered = 0
    open.tamper.on('registry', 'register', (proceed) => {
      registered += 1
      return proceed()
    })
    const client = await open.connect()
    client.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd' })
    await looking
    await client.close()
    await until(async () => (await open.metric('edge_connections')) === 0, 'the edge has noticed')
    goOn()
    await echo(await open.device('bob'))
    expect(registered).toBe(1)
  })

  it('because the registry did not confirm what it did leaves no row behind', async () => {
    const open = await openEdge()
    const heal = open.tamper.on('registry', 'register', async (proceed) => {
      await proceed()
      throw new Error('no answer came')
    })
    const client = await open.connect()
    client.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd' })
    expect(await client.closed()).toMatchObject({ code: 1011 })
    heal()
    await untilEmpty(open)
  })

  it('while the registry is away is taken out once it is back, though the edge lives on (S3)', async () => {
    const open = await openEdge({ times: { renewMs: 20 } })
    const client = await open.device('ada', 'd')
    await open.device('bob')
    const heal = open.tamper.on('registry', 'unregister', async () => {
      throw new Unavailable('away')
    })
    await client.close()
    await until(async () => (await open.metric('edge_connections')) === 1, 'the edge has noticed')
    expect(open.memory.sizes().connections).toBe(2)
    heal()
    await until(() => open.memory.sizes().connections === 1, 'the row is taken out')
    expect(await open.metric('structure_entries', '{structure="edge_leftovers"}')).toBe(0)
  })

  it('leaves those alone who joined the same user meanwhile', async () => {
    const open = await openEdge()
    const subscribe = open.tamper.stop('bus', 'subscribe')
    const [first, second] = [await open.connect(), await open.connect()]
    const token = await tokenOf('ada')
    first.send({ type: 'hello', token, deviceId: 'a' })
    second.send({ type: 'hello', token, deviceId: 'b' })
    await subscribe.reached
    await first.close()
    subscribe.goOn()
    await second.waitFor('ready')
    await open.storage.say('ada', 'hello')
    await second.waitFor('message')
    await second.close()
    await untilEmpty(open)
  })
})

describe('the registry (S8)', () => {
  const fast = { times: { renewMs: 20 } }

  /** Two edges over a registry that was emptied, which the first one does not know until it is told. */
  async function lostHere(open: Awaited<ReturnType<typeof openEdge>>): Promise<() => void> {
    let asked = 0
    let notice: () => void = () => undefined
    const noticed = new Promise<void>((resolve) => {
      notice = resolve
    })
    open.tamper.on('registry', 'renew', async (proceed) => {
      asked += 1
      // Rounds of an earlier loss have ended by then.
      if (asked > 3) await noticed
      return proceed()
    })
    await until(() => asked > 3, 'it renews')
    open.memory.empty('realtime')
    return notice
  }

  it('takes back whoever came in elsewhere while it was lost, and not the one before on the same device', async () => {
    const here = await openEdge(fast)
    const there = await openEdge({ deps: { fabric: here.fabric } })
    const [old, other] = [await here.device('ada', 'd-1'), await here.device('ada', 'd-2')]
    const notice = await lostHere(here)
    const fresh = await there.device('ada', 'd-1')
    await echo(old)
    notice()
    expect(await old.waitFor('notice')).toMatchObject({ code: 'replaced' })
    expect(await old.closed()).toMatchObject({ code: 4201 })
    await until(() => here.memory.sizes().connections === 2, 'the other one is back')
    for (const client of [fresh, other]) await echo(client)
    expect(fresh.frames.some(({ type }) => type === 'notice')).toBe(false)
  })

  it('does so even if that one came in at the last moment', async () => {
    const here = await openEdge(fast)
    const there = await openEdge({ deps: { fabric: here.fabric } })
    const old = await here.device('ada', 'd-1')
    const notice = await lostHere(here)
    const coming = new Promise<WireClient>((resolve) => {
      const end = here.tamper.on('registry', 'register', async (proceed) => {
        end()
        resolve(await there.device('ada', 'd-1'))
        return proceed()
      })
    })
    notice()
    const fresh = await coming
    expect(await old.closed()).toMatchObject({ code: 4201 })
    await echo(fresh)
    const { connectionId } = await fresh.waitFor('ready')
    await until(async () => (await here.fabric.registry.list(userId('ada'))).length === 1, 'one row is left')
    expect(await here.fabric.registry.list(userId('ada'))).toMatchObject([{ connectionId }])
  })

  it('takes the later of two of one device on one edge, where the earlier was never told', async () => {
    const open = await openEdge(fast)
    const heal = open.tamper.on('bus', 'reply', () => Promise.reject(new Error('away')))
    const old = await open.device('ada', 'd-1')
    // Otherwise a round finds out, before the registry is emptied, that the earlier one was not told.
    const renewal = open.tamper.stop('registry', 'renew')
    await renewal.reached
    const fresh = await open.device('ada', 'd-1')
    heal()
    await echo(old)
    open.memory.empty('realtime')
    renewal.goOn()
    expect(await old.closed()).toMatchObject({ code: 4201 })
    await echo(fresh)
    await until(() => open.memory.sizes().connections === 1, 'one of them is in the registry again')
  })

  it('closes those for whom there is no room any more', async () => {
    const here = await openEdge({ ...fast, deps: { maxConnections: 2 } })
    const there = await openEdge({ deps: { fabric: here.fabric, maxConnections: 2 } })
    const before = [await here.device('ada', 'a'), await here.device('ada', 'b')]
    const notice = await lostHere(here)
    const since = [await there.device('ada', 'c'), await there.device('ada', 'd')]
    notice()
    for (const client of before) {
      expect(await client.waitFor('error')).toMatchObject({ code: 'connection_limit' })
      expect(await client.closed()).toMatchObject({ code: 4202 })
    }
    for (const client of since) await echo(client)
    expect(here.memory.sizes().connections).toBe(2)
  })

  it('is filled with those too whose hello was under way', async () => {
    const open = await openEdge({ times: { renewMs: 150 } })
    const subscribe = open.tamper.stop('bus', 'subscribe')
    const client = await open.connect()
    client.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd' })
    await subscribe.reached
    open.memory.empty('realtime')
    const lines = () => open.log.filter((line) => line.includes('registering its connections again')).length
    const before = lines()
    await until(() => lines() > before, 'the first round begins')
    subscribe.goOn()
    await client.waitFor('ready')
    await until(() => open.memory.sizes().connections === 1, 'it is registered')
  })

  it('is filled again by the edge after it was lost', async () => {
    const open = await openEdge({ times: { renewMs: 20 } })
    await Promise.all([open.device('ada'), open.device('ada'), open.device('bob')])
    open.memory.empty('realtime')
    await until(() => open.memory.sizes().connections === 3, 'the rows are back')
  })

  it('is filled again even if that fails in the middle', async () => {
    const open = await openEdge({ times: { renewMs: 20 } })
    await Promise.all([open.device('ada'), open.device('bob'), open.device('eve')])
    let calls = 0
    const heal = open.tamper.on('registry', 'register', (proceed) => {
      calls += 1
      return calls === 2 ? Promise.reject(new Error('away for a moment')) : proceed()
    })
    open.memory.empty('realtime')
    await until(() => open.memory.sizes().connections === 3, 'the rows are back')
    heal()
  })

  it('is not filled with connections that have ended meanwhile', async () => {
    const open = await openEdge({ times: { renewMs: 20 } })
    const client = await open.device('ada')
    await open.device('bob')
    let goOn = (): void => undefined
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const steps: string[] = []
    open.tamper.on('registry', 'register', async (proceed, row) => {
      if ((row as Registration).uid !== 'ada') return proceed()
      steps.push('reached')
      await held
      const registered = await proceed()
      steps.push('registered')
      return registered
    })
    open.memory.empty('realtime')
    await until(() => steps.includes('reached'), 'it is being registered')
    await client.close()
    await until(async () => (await open.metric('edge_connections')) === 1, 'the edge has noticed')
    goOn()
    await until(() => steps.includes('registered'), 'it has been registered')
    await until(() => open.memory.sizes().connections === 1, 'only the other one is registered')
  })
})

it('does not show a delta to a connection that it is not meant for', async () => {
  const open = await openEdge()
  const [first, second] = [await open.device('ada'), await open.device('ada')]
  const { connectionId } = await first.waitFor('ready')
  const writing = await open.storage.ask('ada')
  await Promise.all([first.waitFor('answer.started'), second.waitFor('answer.started')])
  const { header, body } = deltaEvent(writing.ref, 1, 0, 'for the second one')
  await open.fabric.bus.signal(userId('ada'), { header: { ...header, except: connectionId as never }, body })
  await second.waitFor('answer.delta')
  await echo(first)
  expect(first.frames.some(({ type }) => type === 'answer.delta')).toBe(false)
})
