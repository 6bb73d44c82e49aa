import { type BusListener, Unavailable } from '@chatbox/core'
import { refusedUpgrade, type WireClient } from '@chatbox/testkit/wire'
import { describe, expect, it } from 'vitest'
import { echo, openEdge, PAGE, tokenOf, until, untilEmpty } from './support/open-edge.ts'

const times = { storeMs: 200, requestMs: 400, helloMs: 600, renewMs: 50, disabledMs: 50 }

const HOWS: [string, () => Promise<never>][] = [
  ['is away', () => Promise.reject(new Unavailable('away'))],
  ['never answers', () => new Promise<never>(() => undefined)],
]

async function toldUnavailable(client: WireClient, clientMessageId: string): Promise<void> {
  client.send({ type: 'message.send', clientMessageId, text: 'is anybody there?' })
  const error = await client.waitFor('error', (frame) => frame.clientMessageId === clientMessageId)
  expect(error).toMatchObject({ code: 'unavailable', retryable: true })
}

describe.each(HOWS)('a store that %s (P8)', (_how, how) => {
  it('costs nobody their socket; whoever asks is told to ask again, and is served when it is back', async () => {
    const open = await openEdge({ times })
    const client = await open.device('ada')
    const entries = await open.storage.entries('ada')
    const heal = open.tamper.all(how)

    await toldUnavailable(client, 'c-1')
    await echo(client)
    const waiting = await open.connect()
    waiting.send({ type: 'hello', token: await tokenOf('bob'), deviceId: 'd' })
    expect(await waiting.waitFor('error')).toMatchObject({ code: 'unavailable', retryable: true })
    expect(await waiting.closed()).toMatchObject({ code: 1013 })
    expect(await open.metric('edge_store_faults_total', '{port="registry"}')).toBeGreaterThan(0)

    heal()
    client.send({ type: 'message.send', clientMessageId: 'c-2', text: 'back?' })
    await open.storage.accept(await entries.next())
    await client.waitFor('message', ({ clientMessageId }) => clientMessageId === 'c-2')
    await echo(await open.device('bob'))
    await client.close()
  })

  it('holds no more than so many requests, each of which is answered', async () => {
    const open = await openEdge({ times })
    const client = await open.device('ada')
    const heal = open.tamper.all(how)
    for (let i = 0; i < 300; i++) client.send({ type: 'message.send', clientMessageId: `c-${i}`, text: 'x' })
    await until(() => client.frames.filter(({ type }) => type === 'error').length === 300, 'each has its error', 4_000)
    for (const frame of client.frames) {
      if (frame.type !== 'error') continue
      expect(['unavailable', 'overloaded']).toContain(frame.code)
      expect(frame.retryable).toBe(true)
    }
    heal()
    await client.close()
    await untilEmpty(open)
  })

  it('does not keep an edge from starting; it is unready, lets nobody in, and becomes ready by itself', async () => {
    let heal = (): void => undefined
    const open = await openEdge({
      times,
      before: (tamper) => {
        heal = tamper.all(how)
      },
    })
    const { check } = open.edge
    await expect(check.ping(AbortSignal.timeout(1_000))).rejects.toThrow('the edge has no')
    expect(await refusedUpgrade(open.url, { origin: PAGE })).toBe(503)
    expect(await open.metric('edge_handshakes_total', '{outcome="unready"}')).toBe(1)
    heal()
    const ready = () =>
      check.ping(AbortSignal.timeout(1_000)).then(
        () => true,
        () => false,
      )
    await until(ready, 'the edge is ready')
    await echo(await open.device('ada'))
    // It hears what other edges tell it: the same device comes again elsewhere.
    const old = await open.device('bob', 'd-1')
    await open.device('bob', 'd-1')
    expect(await old.closed()).toMatchObject({ code: 4201 })
  })

  it('is no reason to admit anybody: where the limiter cannot be asked, nothing is taken', async () => {
    const open = await openEdge({ times })
    const client = await open.device('ada')
    let appended = 0
    open.tamper.on('ingest', 'append', (proceed) => {
      appended += 1
      return proceed()
    })
    open.tamper.on('limiter', 'consume', how)
    await toldUnavailable(client, 'c-1')
    client.send({ type: 'session.end', sid: 'sid-1', requestId: 'r-1' })
    expect(await client.waitFor('error', ({ requestId }) => requestId === 'r-1')).toMatchObject({ code: 'unavailable' })
    expect(appended).toBe(0)
  })

  it('delays the repair of a device, and ends no socket', async () => {
    const open = await openEdge({ times })
    let listener: BusListener | undefined
    open.tamper.on('bus', 'subscribe', (proceed, _uid, given) => {
      listener = given as BusListener
      return proceed()
    })
    const client = await open.device('ada')
    const writing = await open.storage.ask('ada')
    await writing.write('so far ')
    await client.waitFor('answer.delta')
    let asked = 0
    const heal = open.tamper.on('answers', 'snapshot', () => {
      asked += 1
      return how()
    })
    listener?.gap()
    await until(() => asked >= 2, 'it is tried again')
    await echo(client)
    heal()
    expect(await client.waitFor('answer.snapshot')).toMatchObject({ text: 'so far ' })
    await writing.done()
    await client.waitFor('answer.done')
  })

  it('keeps no stop from ending', async () => {
    const open = await openEdge({ times })
    const client = await open.device('ada')
    const heal = open.tamper.all(how)
    const from = Date.now()
    await open.edge.stop(AbortSignal.timeout(5_000))
    expect(Date.now() - from).toBeLessThan(3_000)
    expect(await client.closed()).toMatchObject({ code: 1012 })
    heal()
  })
})

it('a subscription that comes after its time was up is given back', async () => {
  const open = await openEdge({ times })
  let came = false
  const heal = open.tamper.on('bus', 'subscribe', async (proceed) => {
    await new Promise((resolve) => setTimeout(resolve, 400))
    const leave = await proceed()
    came = open.memory.sizes().subscriptions === 1
    return leave
  })
  const client = await open.connect()
  client.send({ type: 'hello', token: await tokenOf('ada'), deviceId: 'd' })
  expect(await client.closed()).toMatchObject({ code: 1013 })
  heal()
  await until(() => came, 'it comes late')
  await untilEmpty(open)
})
