import { partitionOf, sessionId } from '@chatbox/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, bench, user } from './fixture.ts'
import { type Ask, as, conversation, refusedWith } from './support/rest.ts'
import { until } from './talk.ts'

describe('what users change over REST', () => {
  let b: Bench
  let alice: Ask

  beforeAll(async () => {
    b = await bench({ times: { sweepMs: 3_600_000 } })
    alice = await as(b, 'alice')
  })
  afterAll(() => b.close())

  it('a name, which shows at once and on every device, sanitised', async () => {
    const sid = await conversation(b, 'alice', 'named')
    const devices = await b.events(user('alice'))
    const response = await alice('PATCH', `/chat/sessions/${sid}`, { body: { name: '  The\u0000 plan\r\n' } })
    expect(response.json().session).toMatchObject({ id: sid, name: 'The plan' })
    await devices.waitFor((frame) => frame.type === 'session.updated' && frame.session.name === 'The plan')
    const [first] = (await alice('GET', '/chat/sessions?limit=1')).json().sessions
    expect(first).toMatchObject({ id: sid, name: 'The plan', preview: 'An answer' })
  })

  it('a model for what comes, and both at once, or neither', async () => {
    const sid = await conversation(b, 'alice', 'modelled')
    const change = (body: object) => alice('PATCH', `/chat/sessions/${sid}`, { body })
    expect((await change({ modelId: 'other' })).json().session).toMatchObject({ modelId: 'other', name: 'Question 0' })
    const unknown = await change({ name: 'Not this', modelId: 'unheard-of' })
    expect(refusedWith(unknown)).toEqual([404, 'not_found'])
    expect(unknown.json().error.field).toBe('modelId')
    await alice('POST', `/chat/sessions/${sid}/end`)
    expect(refusedWith(await change({ name: 'Not this either', modelId: 'demo' }))).toEqual([409, 'session_ended'])
    expect((await alice('GET', `/chat/sessions/${sid}`)).json().session.name).toBe('Question 0')
    expect((await change({ name: 'An end can be named' })).json().session.name).toBe('An end can be named')
    for (const body of [
      {},
      { name: '' },
      { name: ' \u0000 ' },
      { name: 'é'.repeat(101) },
      { name: null },
      { modelId: '' },
    ]) {
      expect([body, ...refusedWith(await change(body))]).toEqual([body, 400, 'invalid_frame'])
    }
  })

  it('the read mark, which rises only, and never above the last message', async () => {
    const sid = await conversation(b, 'alice', 'read', ['One', 'Two', 'Three'])
    const read = async (seq: number) => {
      const { session } = (await alice('POST', `/chat/sessions/${sid}/read`, { body: { seq } })).json()
      return [session.readSeq, session.unreadCount]
    }
    expect((await alice('GET', `/chat/sessions/${sid}`)).json().session).toMatchObject({ readSeq: 5, unreadCount: 1 })
    expect(await read(2)).toEqual([5, 1])
    expect(await read(1_000)).toEqual([6, 0])
    for (const seq of [0, -1, 1.5, '1', null, 2 ** 53]) {
      const response = await alice('POST', `/chat/sessions/${sid}/read`, { body: { seq } })
      expect([seq, ...refusedWith(response)]).toEqual([seq, 400, 'invalid_frame'])
    }
  })

  it('the end of a session, as often as they like', async () => {
    const sid = await conversation(b, 'alice', 'ending')
    const first = (await alice('POST', `/chat/sessions/${sid}/end`)).json().session
    const second = (await alice('POST', `/chat/sessions/${sid}/end`, { body: {} })).json().session
    expect(first.endedAt).toBeGreaterThan(0)
    expect(second).toEqual(first)
    const { messages } = (await alice('GET', `/chat/sessions/${sid}/messages`)).json()
    expect(messages.map(({ event }: { event?: string }) => event)).toEqual([undefined, undefined, 'ended'])
  })

  it('what they think of an answer, in place of what they thought before', async () => {
    const sid = await conversation(b, 'alice', 'rated')
    const rate = (body: object, seq = 2) => alice('PUT', `/chat/sessions/${sid}/messages/${seq}/feedback`, { body })
    const { message } = (await rate({ rating: 'down', comment: 'Too\u0000 short' })).json()
    expect(message).toMatchObject({ seq: 2, text: 'An answer', feedback: { rating: 'down', comment: 'Too short' } })
    expect((await rate({ rating: 'up', answerId: message.answerId })).json().message.feedback).toEqual({
      rating: 'up',
      ts: expect.any(Number),
    })
    const [, shown] = (await alice('GET', `/chat/sessions/${sid}/messages`)).json().messages
    expect(shown.feedback.rating).toBe('up')
    const gone = await alice('DELETE', `/chat/sessions/${sid}/messages/2/feedback`)
    expect(gone.json().message).not.toHaveProperty('feedback')

    expect(refusedWith(await rate({ rating: 'up', answerId: 'another' }))).toEqual([409, 'conflict'])
    for (const seq of [1, 3, 99]) expect(refusedWith(await rate({ rating: 'up' }, seq))).toEqual([404, 'not_found'])
    for (const body of [{ rating: 'sideways' }, {}, { rating: 'up', comment: '' }]) {
      expect(refusedWith(await rate(body))).toEqual([400, 'invalid_frame'])
    }
    await b.say(user('alice'), sid, 'Still waiting')
    expect(refusedWith(await rate({ rating: 'up' }, 4))).toEqual([409, 'conflict'])
  })

  it('whether a session is there at all', async () => {
    const sid = await conversation(b, 'alice', 'going')
    const { token } = (await alice('POST', `/chat/sessions/${sid}/share`)).json()
    const response = await alice('DELETE', `/chat/sessions/${sid}`)
    expect([response.statusCode, response.body]).toEqual([204, ''])
    for (const url of [`/chat/sessions/${sid}`, `/chat/sessions/${sid}/messages`, `/chat/sessions/${sid}/export`]) {
      expect([url, ...refusedWith(await alice('GET', url))]).toEqual([url, 404, 'not_found'])
    }
    expect(refusedWith(await (await as(b))('GET', `/chat/shared/${token}`))).toEqual([404, 'not_found'])
    const listed = (await alice('GET', '/chat/sessions?limit=100')).json().sessions
    expect(listed.map(({ id }: { id: string }) => id)).not.toContain(sid)
    expect(refusedWith(await alice('PATCH', `/chat/sessions/${sid}`, { body: { name: 'x' } }))).toEqual([
      404,
      'not_found',
    ])
    // It is as gone as was asked for.
    expect((await alice('DELETE', `/chat/sessions/${sid}`)).statusCode).toBe(204)
  })

  it('whether they are there at all', async () => {
    const carol = await as(b, 'carol')
    for (const sid of ['carol-1', 'carol-2']) await conversation(b, 'carol', sid)
    const mine = (await alice('GET', '/chat/sessions?limit=100')).json()
    expect((await carol('DELETE', '/chat/me')).statusCode).toBe(204)
    expect((await carol('GET', '/chat/sessions')).json()).toEqual({ sessions: [] })
    expect(refusedWith(await carol('GET', '/chat/sessions/carol-1'))).toEqual([404, 'not_found'])
    expect((await alice('GET', '/chat/sessions?limit=100')).json()).toEqual(mine)
    // What is said afterwards is of a new beginning.
    await b.say(user('carol'), sessionId('carol-3'), 'Hello again')
    expect((await carol('GET', '/chat/sessions')).json().sessions).toHaveLength(1)
  })
})

describe('a change that is asked for again under its key', () => {
  let b: Bench
  let alice: Ask
  const key = (value: string) => ({ headers: { 'idempotency-key': value } })
  /** The reply may come a moment before the outcome is kept. */
  const settled = (name: string) =>
    until(
      async () => (await b.memory.ingest.backlog(partitionOf(user(name), 64))).waiting === 0,
      'every entry is done with',
    )

  beforeAll(async () => {
    b = await bench({ times: { sweepMs: 3_600_000 } })
    alice = await as(b, 'alice')
  })
  afterAll(() => b.close())

  it('is done once, and answered alike', async () => {
    const sid = await conversation(b, 'alice', 'again')
    const rename = (name: string, value: string) =>
      alice('PATCH', `/chat/sessions/${sid}`, { body: { name }, ...key(value) })
    await rename('First', 'key-1')
    await rename('Second', 'key-2')
    await settled('alice')
    // Somebody who heard nothing of the first must not undo the second.
    const repeated = await rename('First', 'key-1')
    expect([repeated.statusCode, repeated.json().session.name]).toEqual([200, 'Second'])
    expect((await rename('Third', 'key-1')).json().session.name).toBe('Third')
  })

  it('is refused alike, where it was refused for good', async () => {
    const sid = await conversation(b, 'alice', 'refused')
    await alice('POST', `/chat/sessions/${sid}/end`)
    const choose = () => alice('PATCH', `/chat/sessions/${sid}`, { body: { modelId: 'other' }, ...key('key-1') })
    expect(refusedWith(await choose())).toEqual([409, 'session_ended'])
    await settled('alice')
    expect(refusedWith(await choose())).toEqual([409, 'session_ended'])
  })

  it('is another one for somebody else, and in another session, under the same key', async () => {
    const partition = partitionOf(user('alice'), 64)
    // Whose requests lie beside those of alice.
    const name = Array.from({ length: 10_000 }, (_, i) => `neighbour-${i}`).find(
      (one) => partitionOf(user(one), 64) === partition,
    )
    if (name === undefined) throw new Error('nobody is in the same partition')
    const neighbour = await as(b, name)
    for (const [owner, sid] of [
      ['alice', 'mine'],
      ['alice', 'mine-too'],
      [name, 'theirs'],
    ] as const) {
      await conversation(b, owner, sid)
    }
    const named = { body: { name: 'The same' }, ...key('one-key') }
    for (const [ask, sid] of [
      [alice, 'mine'],
      [alice, 'mine-too'],
      [neighbour, 'theirs'],
    ] as const) {
      expect((await ask('PATCH', `/chat/sessions/${sid}`, named)).json().session.name).toBe('The same')
      await settled('alice')
    }
    expect(refusedWith(await neighbour('PATCH', '/chat/sessions/mine', named))).toEqual([404, 'not_found'])
    for (const ask of [alice, neighbour]) {
      expect((await ask('DELETE', '/chat/me', key('one-key'))).statusCode).toBe(204)
      await settled('alice')
      expect((await ask('GET', '/chat/sessions')).json()).toEqual({ sessions: [] })
    }
  })

  it('gives the same link again, and no link that was replaced or taken back', async () => {
    const sid = await conversation(b, 'alice', 'linked')
    const share = (value: string) => alice('POST', `/chat/sessions/${sid}/share`, key(value))
    const first = (await share('key-1')).json()
    await settled('alice')
    expect((await share('key-1')).json()).toEqual(first)
    const second = (await share('key-2')).json()
    await settled('alice')
    expect(second.token).not.toBe(first.token)
    expect(refusedWith(await share('key-1'))).toEqual([409, 'conflict'])
    await alice('DELETE', `/chat/sessions/${sid}/share`)
    expect(refusedWith(await share('key-2'))).toEqual([409, 'conflict'])
    expect((await alice('GET', `/chat/sessions/${sid}`)).json().session).not.toHaveProperty('sharedUntil')
  })

  it('may be an erasure, of which nothing is left to show', async () => {
    const sid = await conversation(b, 'alice', 'erased')
    const erase = () => alice('DELETE', `/chat/sessions/${sid}`, key('key-1'))
    expect((await erase()).statusCode).toBe(204)
    expect((await erase()).statusCode).toBe(204)
  })
})
