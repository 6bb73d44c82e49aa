import { randomId } from '@chatbox/core'
import { type ClientFrameType, clientFrames, type ServerFrame } from '@chatbox/protocol'
import { available } from '@chatbox/testkit/servers'
import type { WireClient } from '@chatbox/testkit/wire'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { cleanUp, later, ownRedis, patient } from './scene.ts'
import { type Distributed, type EdgeProcess, placeOf, say, startDistributed } from './system.ts'

const there = await available('redis')

/** What a stranger may have heard of somebody else's. */
interface Ids {
  readonly sid: string
  readonly seq: number
  readonly answerId: string
}

const ASKED = 'asked'
const request = (type: ClientFrameType, fields: object) => ({ type, requestId: ASKED, ...fields })

/** Every frame that names something, by what it names. */
const OPERATIONS: readonly (readonly [name: string, type: ClientFrameType, fields: (ids: Ids) => object])[] = [
  ['say something in a session', 'message.send', ({ sid }) => ({ sid, clientMessageId: randomId(), text: 'hello' })],
  [
    'choose a model with a message',
    'message.send',
    ({ sid }) => ({ sid, clientMessageId: randomId(), text: 'hello', modelId: 'demo-quick' }),
  ],
  ['stop an answer', 'answer.cancel', ({ sid, answerId }) => ({ sid, answerId })],
  ['ask for another answer', 'answer.regenerate', ({ sid, seq }) => ({ sid, seq })],
  ['choose the model of a session', 'session.model', ({ sid }) => ({ sid, modelId: 'demo-quick' })],
  ['mark a session as read', 'session.read', ({ sid, seq }) => ({ sid, seq })],
  ['end a session', 'session.end', ({ sid }) => ({ sid })],
  ['ask for help in a session', 'help.request', ({ sid }) => ({ sid, text: 'help' })],
  ['watch a session', 'session.watch', ({ sid }) => ({ sid })],
  ['watch no longer', 'session.unwatch', ({ sid }) => ({ sid })],
  ['take a session over', 'session.takeover', ({ sid }) => ({ sid })],
  ['keep a takeover', 'session.heartbeat', ({ sid }) => ({ sid })],
  ['hand a session back', 'session.handback', ({ sid }) => ({ sid })],
]
/** These name nothing of anybody's, or have a test of their own below. */
const OTHERS = new Set<ClientFrameType>(['hello', 'typing', 'auth.refresh', 'ping'])

describe.skipIf(!there)('what belongs to somebody else (security 10)', { timeout: 60_000 }, () => {
  let system: Distributed
  let ada: WireClient
  let eve: WireClient
  let hers: Ids
  beforeAll(async () => {
    const redis = await ownRedis()
    system = await startDistributed({ redisUrl: redis.url, edges: 2 })
    later(() => system.stop())
    ada = await system.device(edge(0), 'ada', 'tablet')
    eve = await system.device(edge(1), 'eve', 'tablet')
    hers = await conversation(ada)
  })
  afterAll(cleanUp)

  function edge(i: number): EdgeProcess {
    const found = system.edges[i]
    if (!found) throw new Error(`there is no edge ${i}`)
    return found
  }

  /** A question that was answered. */
  async function conversation(device: WireClient): Promise<Ids> {
    const { sid, seq, answer } = await say(device, 'What can you do?')
    const answerId = answer?.answerId ?? ''
    await device.waitFor('answer.done', (frame) => frame.answerId === answerId)
    await device.waitFor('session.updated', (frame) => frame.sid === sid && frame.session.totalTokens > 0)
    // Nothing of hers is to change by itself any more.
    await vi.waitFor(
      async () => expect((await system.stored(sid)).turns.some(({ unsettled }) => unsettled)).toBe(false),
      patient,
    )
    return { sid, seq, answerId }
  }

  const unknown = (): Ids => ({ sid: randomId(), seq: 1, answerId: randomId() })

  /** The frame that answers, with the ids that were asked about taken out. */
  async function answerTo(device: WireClient, frame: object, ids: Ids): Promise<unknown> {
    const from = device.frames.length
    device.send({ ...frame })
    const error = await device.waitFor('error', ({ requestId }) => requestId === ASKED, from)
    const cmid = 'clientMessageId' in frame ? String(frame.clientMessageId) : 'none'
    const text = JSON.stringify(error)
    return JSON.parse(text.replaceAll(ids.sid, 'SID').replaceAll(ids.answerId, 'ANSWER').replaceAll(cmid, 'CMID'))
  }

  async function settled(device: WireClient): Promise<readonly ServerFrame[]> {
    const requestId = randomId()
    device.send({ type: 'ping', requestId })
    await device.waitFor('pong', (pong) => pong.requestId === requestId)
    return device.frames.filter(({ type }) => type !== 'pong')
  }

  it('is asked for in this table by every frame that there is', () => {
    const asked = new Set(OPERATIONS.map(([, type]) => type))
    for (const type of Object.keys(clientFrames()) as ClientFrameType[])
      expect(asked.has(type), type).toBe(!OTHERS.has(type))
  })

  it.each(OPERATIONS)('is to a stranger who wants to %s as if it did not exist', async (_, type, fields) => {
    const [stored, seen] = [await system.stored(hers.sid), await settled(ada)]
    const nothing = unknown()
    const answers = [
      await answerTo(eve, request(type, fields(hers)), hers),
      await answerTo(eve, request(type, fields(nothing)), nothing),
    ]
    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]).toMatchObject({ code: expect.stringMatching(/^(not_found|not_supported)$/), retryable: false })
    expect(await system.stored(hers.sid)).toEqual(stored)
    expect(await settled(ada)).toEqual(seen)
  })

  it('is no answer in a session of the stranger either', async () => {
    const own = await conversation(eve)
    const nothing = unknown()
    const mixed = { sid: own.sid, answerId: hers.answerId }
    const made = { sid: own.sid, answerId: nothing.answerId }
    expect(await answerTo(eve, request('answer.cancel', mixed), { ...own, ...mixed })).toEqual(
      await answerTo(eve, request('answer.cancel', made), { ...own, ...made }),
    )
  })

  it('is not stopped while it is being written', async () => {
    const { sid, seq, answer } = await say(ada, 'Answer slowly, please')
    const ids = { sid, seq, answerId: answer?.answerId ?? '' }
    await ada.waitFor('answer.delta', (frame) => frame.answerId === ids.answerId)
    const { answerId } = ids
    expect(await answerTo(eve, request('answer.cancel', { sid, answerId }), ids)).toMatchObject({ code: 'not_found' })
    expect(await answerTo(eve, request('session.end', { sid }), ids)).toMatchObject({ code: 'not_found' })
    const done = await ada.waitFor('answer.done', (frame) => frame.answerId === ids.answerId)
    expect(done.status).toBe('done')
  })

  it('is not shown to who types there, nor is that shown to its owner', async () => {
    const phone = await system.device(edge(0), 'eve', 'phone')
    for (const sid of [hers.sid, randomId()]) {
      eve.send({ type: 'typing', sid, active: true })
      expect(await phone.waitFor('typing', (frame) => frame.sid === sid)).toMatchObject({ author: 'user' })
    }
    expect((await settled(ada)).filter(({ type }) => type === 'typing')).toEqual([])
    await phone.close()
  })

  it('is no place to go on from, no more than one that never was', async () => {
    const place = placeOf(ada)
    const [log = '', ...rest] = place.split('.')
    for (const resume of [place, [log.replace(/^./, (c) => (c === 'a' ? 'b' : 'a')), ...rest].join('.')]) {
      const device = await system.device(edge(0), 'eve', 'phone', { resume })
      expect(device.frames[0]).toMatchObject({ type: 'ready', userId: 'eve', recovered: false })
      expect((await settled(device)).filter(({ type }) => type !== 'ready')).toEqual([])
      await device.close()
    }
  })

  it('is not a device of the stranger, nor a message, though both are called the same', async () => {
    const twin = await system.device(edge(0), 'eve', 'tablet-of-ada')
    const clientMessageId = randomId()
    const first = await say(ada, 'mine', { clientMessageId })
    const second = await say(twin, 'not yours', { clientMessageId })
    expect(second.sid).not.toBe(first.sid)
    const same = await system.device(edge(1), 'ada', 'tablet-of-ada')
    for (const device of [twin, same]) await settled(device)
    expect([twin.end, same.end]).toEqual([undefined, undefined])
    await Promise.all([twin.close(), same.close()])
  })

  it('is not found over REST', async () => {
    for (const path of ['', '/messages', '/messages?after=1']) {
      const answers = await Promise.all(
        [hers.sid, randomId()].map((sid) => system.rest('eve', `/chat/sessions/${sid}${path}`)),
      )
      const told = answers.map(({ status, body }) => ({ status, error: { ...errorOf(body), requestId: '' } }))
      expect(told[0]).toEqual(told[1])
      expect(told[0]).toMatchObject({ status: 404, error: { code: 'not_found' } })
    }
    const { body } = await system.rest('eve', '/chat/sessions')
    expect(JSON.stringify(body)).not.toContain(hers.sid)
  })
})

const errorOf = (body: unknown): object => (body as { error: object }).error
