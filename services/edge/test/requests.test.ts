import { partitionOf, userId } from '@chatbox/core'
import type { WireClient } from '@chatbox/testkit/wire'
import { describe, expect, it } from 'vitest'
import { echo, openEdge, until } from './support/open-edge.ts'

const message = (id: string, more: object = {}) => ({
  type: 'message.send',
  requestId: `r-${id}`,
  clientMessageId: `c-${id}`,
  text: `text ${id}`,
  ...more,
})

const errorOf = (client: WireClient, id: string) => client.waitFor('error', ({ requestId }) => requestId === `r-${id}`)
const errors = (client: WireClient) => client.frames.filter(({ type }) => type === 'error')

describe('who asks hears of it (P8)', () => {
  it('says that it is not known, when nobody answers in time', async () => {
    const { device } = await openEdge({ times: { requestMs: 200 } })
    const client = await device('ada')
    const asked = Date.now()
    client.send(message('1', { sid: 's-1' }))
    expect(await errorOf(client, '1')).toMatchObject({
      code: 'unavailable',
      retryable: true,
      clientMessageId: 'c-1',
      sid: 's-1',
    })
    // The word is on its way before the time is up, and not long before.
    expect(Date.now() - asked).toBeGreaterThanOrEqual(185)
    await echo(client)
  })

  it('makes up a request id where there is none', async () => {
    const { device } = await openEdge({ times: { requestMs: 100 } })
    const client = await device('ada')
    client.send({ type: 'message.send', clientMessageId: 'c-1', text: 'hello' })
    expect(await client.waitFor('error', ({ clientMessageId }) => clientMessageId === 'c-1')).toMatchObject({
      requestId: expect.stringMatching(/^[A-Za-z0-9_.:-]{1,64}$/),
    })
  })

  it.each([
    ['full', 'overloaded'],
    ['unknown', 'unavailable'],
  ])('answers a log that says %s with %s, once', async (taken, code) => {
    const { device, tamper } = await openEdge({ times: { requestMs: 300 } })
    const client = await device('ada')
    const heal = tamper.on('ingest', 'append', async () => taken)
    client.send(message('1'))
    expect(await errorOf(client, '1')).toMatchObject({ code, retryable: true, clientMessageId: 'c-1' })
    heal()
    // Its own time would be up before that of a later one.
    client.send(message('2'))
    await errorOf(client, '2')
    expect(errors(client)).toHaveLength(2)
  })

  it('says that it is overloaded when the log has no room', async () => {
    const { device } = await openEdge({ memory: { bounds: { partitionEntries: 1 } } })
    const client = await device('ada')
    client.send(message('1'))
    client.send(message('2'))
    expect(await errorOf(client, '2')).toMatchObject({ code: 'overloaded' })
  })

  it('answers a log that fails with internal, once', async () => {
    const { device, tamper } = await openEdge({ times: { requestMs: 300 } })
    const client = await device('ada')
    const heal = tamper.on('ingest', 'append', () => Promise.reject(new Error('the log fell over')))
    client.send(message('1'))
    expect(await errorOf(client, '1')).toMatchObject({ code: 'internal', clientMessageId: 'c-1' })
    heal()
    client.send(message('2'))
    await errorOf(client, '2')
    expect(errors(client)).toHaveLength(2)
  })

  it('stops waiting when a reply comes', async () => {
    const { device, storage } = await openEdge({ times: { requestMs: 400 } })
    const client = await device('ada')
    const entries = await storage.entries('ada')
    client.send(message('1'))
    await storage.refuse(await entries.next(), 'session_ended')
    expect(await errorOf(client, '1')).toMatchObject({ code: 'session_ended' })
    client.send(message('2'))
    expect(await errorOf(client, '2')).toMatchObject({ code: 'unavailable' })
    expect(errors(client)).toHaveLength(2)
  })

  it('stops waiting when the message comes, which the other devices get as well', async () => {
    const { device, storage } = await openEdge({ times: { requestMs: 400 } })
    const [client, other] = [await device('ada'), await device('ada')]
    const entries = await storage.entries('ada')
    client.send(message('1'))
    await storage.accept(await entries.next())
    const accepted = await client.waitFor('message')
    expect(accepted).toMatchObject({ clientMessageId: 'c-1', text: 'text 1', seq: 1, at: expect.any(String) })
    expect(await other.waitFor('message')).toEqual(accepted)
    client.send(message('2'))
    await errorOf(client, '2')
    expect(errors(client)).toHaveLength(1)
  })

  it('holds at most 64 requests of one connection, and no more than that of its neighbours', async () => {
    const { device, storage } = await openEdge()
    const [client, neighbour] = [await device('ada'), await device('ada')]
    const entries = await storage.entries('ada')
    for (let i = 0; i < 65; i++) client.send(message(`${i}`))
    expect(await errorOf(client, '64')).toMatchObject({ code: 'overloaded', clientMessageId: 'c-64' })
    expect(errors(client)).toHaveLength(1)
    await storage.refuse(await entries.next(), 'busy')
    await errorOf(client, '0')
    client.send(message('again'))
    neighbour.send(message('n'))
    const ids: unknown[] = []
    for (let i = 0; i < 65; i++) {
      const entry = await entries.next()
      if (entry.kind === 'send') ids.push(entry.said.cmid)
    }
    expect(ids).toContain('c-again')
    expect(ids).toContain('c-n')
    expect(ids).not.toContain('c-64')
  })

  it('refuses a repetition under a request id that still waits: each counts against what may be on its way', async () => {
    const { device, storage } = await openEdge()
    const client = await device('ada')
    const entries = await storage.entries('ada')
    client.send(message('1'))
    const first = await entries.next()
    client.send(message('1'))
    expect(await errorOf(client, '1')).toMatchObject({ code: 'overloaded', retryable: true })
    await storage.accept(first)
    await client.waitFor('message')
    client.send(message('1'))
    expect((await entries.next()).requestId).not.toBe(first.requestId)
  })

  it('says nothing more when the log answers after its time was up', async () => {
    const { device, tamper } = await openEdge({ times: { requestMs: 200 } })
    const client = await device('ada')
    const append = tamper.stop('ingest', 'append')
    client.send(message('1'))
    await append.reached
    expect(await errorOf(client, '1')).toMatchObject({ code: 'unavailable' })
    append.fail(new Error('too late'))
    await echo(client)
    expect(errors(client)).toHaveLength(1)
  })
})

describe('what is asked for', () => {
  it('does not overtake what was asked for before, however long that takes', async () => {
    const { device, tamper, storage } = await openEdge()
    const client = await device('ada')
    const entries = await storage.entries('ada')
    const consume = tamper.stop('limiter', 'consume')
    client.send(message('1', { sid: 's-1' }))
    client.send({ type: 'session.model', sid: 's-1', modelId: 'other' })
    client.send({ type: 'session.end', sid: 's-1' })
    await consume.reached
    await echo(client)
    consume.goOn()
    const kinds = [await entries.next(), await entries.next(), await entries.next()].map(({ kind }) => kind)
    expect(kinds).toEqual(['send', 'session.model', 'session.end'])
  })

  it('again, as another answer, names the wish by the id that its client gave it, and costs what a message costs', async () => {
    const { device, storage, tamper } = await openEdge()
    const client = await device('ada')
    const buckets: unknown[] = []
    tamper.on('limiter', 'consume', (proceed, bucket) => {
      buckets.push(bucket)
      return proceed()
    })
    const entries = await storage.entries('ada')
    client.send({ type: 'answer.regenerate', requestId: 'again', sid: 's-1', seq: 1, modelId: 'other' })
    expect(await entries.next()).toMatchObject({ kind: 'answer.regenerate', wish: 'again', seq: 1, modelId: 'other' })
    expect(buckets).toEqual(['messages'])
    client.send({ type: 'answer.regenerate', requestId: 'and-again', sid: 's-1', seq: 1, modelId: 'none' })
    const refused = await client.waitFor('error', ({ requestId }) => requestId === 'and-again')
    expect(refused).toMatchObject({ code: 'not_found' })
  })

  it('is not done any more once its time was up while it waited for its turn', async () => {
    const { device, tamper, memory } = await openEdge({ times: { requestMs: 200 } })
    const client = await device('ada')
    const append = tamper.stop('ingest', 'append')
    client.send(message('1'))
    client.send(message('2'))
    await errorOf(client, '2')
    append.goOn()
    client.send(message('3'))
    await until(() => memory.sizes().entries > 1, 'the third one is on the log')
    expect(memory.sizes().entries).toBe(2)
  })

  it('is taken even if its sender has gone meanwhile', async () => {
    const { device, tamper, storage } = await openEdge()
    const client = await device('ada')
    const entries = await storage.entries('ada')
    const consume = tamper.stop('limiter', 'consume')
    client.send(message('1'))
    await consume.reached
    await client.close()
    consume.goOn()
    expect(await entries.next()).toMatchObject({ kind: 'send', said: { cmid: 'c-1' } })
  })

  it('is asked in the name of whoever the token says, in their partition', async () => {
    const { device, storage, edge } = await openEdge()
    const client = await device('ada')
    const entries = await storage.entries('ada')
    client.send({ type: 'session.end', sid: 'session-of-bob', requestId: 'r-1' })
    const entry = await entries.next()
    expect(entry).toMatchObject({ uid: 'ada', sid: 'session-of-bob', replyTo: { requestId: 'r-1' } })
    expect(entry.requestId).not.toBe('r-1')
    expect(partitionOf(userId('ada'), 64)).toBeLessThan(64)
    expect(edge.port).toBeGreaterThan(0)
  })

  it('carries what was said, sanitised, with its kind', async () => {
    const { device, storage } = await openEdge()
    const client = await device('ada')
    const entries = await storage.entries('ada')
    const files = [{ fileId: 'f-1', mimeType: 'audio/ogg' }]
    client.send(message('1', { text: ' a\u0000b\r\nc\ud800 ', metadata: { page: ' /x ' }, modelId: 'other', files }))
    expect(await entries.next()).toMatchObject({
      kind: 'send',
      fresh: true,
      said: {
        author: 'user',
        authorId: 'ada',
        kind: 'voice',
        modelId: 'other',
        content: { text: 'ab\nc\ufffd', metadata: { page: '/x' }, files },
      },
    })
  })

  it('names the same new session for every repetition, and another one for another user (R10)', async () => {
    const { device, storage } = await openEdge()
    const sids: string[] = []
    for (const user of ['ada', 'ada', 'bob']) {
      const client = await device(user)
      const entries = await storage.entries(user)
      client.send(message('1'))
      const entry = await entries.next()
      sids.push('sid' in entry ? entry.sid : 'of a user alone')
    }
    expect(sids[0]).toBe(sids[1])
    expect(sids[0]).not.toBe(sids[2])
  })

  it('is refused for a model that there is not', async () => {
    const { device, memory } = await openEdge()
    const client = await device('ada')
    client.send(message('1', { modelId: 'gpt-0' }))
    expect(await errorOf(client, '1')).toMatchObject({ code: 'not_found', field: 'modelId', clientMessageId: 'c-1' })
    expect(memory.sizes().entries).toBe(0)
  })

  it('lets small requests no further than their own budget, and takes no message for it (X6)', async () => {
    const { device, storage } = await openEdge({ memory: { limits: { requests: { points: 2, perMs: 60_000 } } } })
    const client = await device('ada')
    const entries = await storage.entries('ada')
    for (const requestId of ['1', '2', '3']) client.send({ type: 'session.read', sid: 's', seq: 1, requestId })
    expect([(await entries.next()).kind, (await entries.next()).kind]).toEqual(['session.read', 'session.read'])
    const refused = await client.waitFor('error')
    expect(refused).toMatchObject({ code: 'rate_limited', requestId: '3', retryAfterMs: expect.any(Number) })
    client.send(message('4'))
    expect((await entries.next()).kind).toBe('send')
  })

  it('is refused above the limit of messages, with the time to wait; other users are not', async () => {
    const { device, storage } = await openEdge({ memory: { limits: { messages: { points: 2, perMs: 60_000 } } } })
    const [first, second] = [await device('ada'), await device('ada')]
    first.send(message('1'))
    second.send(message('2'))
    await echo(second)
    first.send(message('3'))
    const error = await errorOf(first, '3')
    expect(error).toMatchObject({ code: 'rate_limited', retryable: true, clientMessageId: 'c-3' })
    expect(error.retryAfterMs).toBeGreaterThan(0)
    const entries = await storage.entries('bob')
    const bob = await device('bob')
    bob.send(message('1'))
    expect(await entries.next()).toMatchObject({ kind: 'send' })
  })
})
