import { randomBytes } from 'node:crypto'
import {
  answerId,
  clientMessageId,
  type EntryBody,
  encodeEntry,
  partitionOf,
  randomId,
  requestId,
  type SessionId,
  sessionId,
  userId,
} from '@chatbox/core'
import { createKeyring, defaultHashKey } from '@chatbox/crypto'
import { documentsOf, type Held, keysOf } from '@chatbox/testkit/held'
import { available, startMongo, startRedis } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, later, patient } from '../distributed/scene.ts'
import { type BackendSecrets, placeOf, startDistributed } from '../distributed/system.ts'
import { type Processes, processes } from './backend.ts'
import { holds } from './files.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const canary = (name: string) => `canary-${name}-${randomBytes(6).toString('hex')}`

async function start() {
  const [realtime, queue, mongo] = await Promise.all([startRedis(), startRedis(), startMongo()])
  later(() => Promise.all([realtime, queue, mongo].map((server) => server.stop())))
  let backend: Processes | undefined
  let secrets: BackendSecrets | undefined
  const system = await startDistributed({
    redisUrl: realtime.url,
    edges: 1,
    clockScale: 1,
    env: { REDIS_QUEUE_URL: queue.url },
    async backend(given) {
      secrets = given
      backend = await processes({ realtime, queue, mongo, storages: 1 }, given)
      return backend
    },
  })
  later(() => system.stop())
  const [edge] = system.edges
  if (!backend || !secrets || !edge) throw new Error('something did not start')
  const { key } = secrets
  const keyring = createKeyring({ keys: [{ id: 'k1', key }], hashKey: Buffer.from(defaultHashKey(key)) })
  const { env } = backend
  return {
    ...{ system, backend, edge, keyring },
    documents: () => documentsOf(mongo.url, env.MONGODB_DATABASE ?? ''),
    keys: async () => (await Promise.all([realtime, queue].map(({ url }) => keysOf(url)))).flat(),
  }
}

const heldOf = (held: readonly Held[], texts: Iterable<string>): string[] =>
  [...texts].flatMap((text) => held.filter(({ bytes }) => holds(bytes, text)).map(({ place }) => `${text} in ${place}`))

describe.skipIf(!there)('a user who is erased (R22, security 34)', { timeout: 300_000 }, () => {
  it('is found nowhere: in no document, in no key of either Redis, on no route; what comes late changes nothing', async () => {
    const { system, backend, edge, keyring, documents, keys } = await start()
    const { fabric, conversations } = backend
    const user = `${canary('user')}@example.org`
    const uid = userId(user)
    const partition = partitionOf(uid, 64)
    const said = {
      ...{ question: canary('question'), slow: canary('slow'), metadata: canary('metadata') },
      ...{ file: canary('file'), fileName: canary('file-name'), url: `https://files.example.org/${canary('url')}` },
      ...{ name: canary('name'), comment: canary('comment'), device: canary('device'), cmid: canary('cmid') },
      ...{ key: canary('key'), dead: canary('dead'), late: canary('late') },
    }

    const device = await system.device(edge, user, said.device, { options: { waitMs: 120_000 } })
    /** Again under the same id where nothing was heard of it in time, as clients do. */
    const say = async (frame: object, cmid: string) => {
      const send = () => device.send({ type: 'message.send', modelId: 'demo-quick', clientMessageId: cmid, ...frame })
      const sending = setInterval(send, 6_000)
      send()
      return device.waitFor('message', ({ clientMessageId: id }) => id === cmid).finally(() => clearInterval(sending))
    }
    const files = [{ fileId: said.file, name: said.fileName, url: said.url }]
    const first = await say({ text: said.question, metadata: { note: said.metadata }, files }, said.cmid)
    const done = await device.waitFor('answer.done', (frame) => frame.answerId === first.answer?.answerId)
    expect(done.status).toBe('done')

    const ask = async (method: string, path: string, body?: object, key?: string) => {
      const headers = {
        authorization: `Bearer ${await system.token(user)}`,
        ...(key && { 'idempotency-key': key }),
        ...(body && { 'content-type': 'application/json' }),
      }
      const url = new URL(path, backend.storages[0]?.url)
      const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })
      return { status: response.status, text: await response.text() }
    }
    /** On a busy machine an answer may miss its 5 s; what is asked for here may be asked for again. */
    const call = async (...asked: Parameters<typeof ask>) => {
      for (;;) {
        const answer = await ask(...asked)
        if (answer.status !== 503) return answer
      }
    }
    const session = `/chat/sessions/${first.sid}`
    expect((await call('PATCH', session, { name: said.name })).status).toBe(200)
    const rating = { rating: 'up', comment: said.comment }
    expect((await call('PUT', `${session}/messages/2/feedback`, rating, said.key)).status).toBe(200)
    const { path: link } = JSON.parse((await call('POST', `${session}/share`, {})).text) as { path: string }
    const exported = await call('GET', `${session}/export`)
    for (const text of [said.question, said.metadata, said.file, said.fileName, said.url]) {
      expect(exported.text).toContain(text)
    }
    expect((await call('GET', link)).text).toContain(said.name)
    const answered = (await conversations.turn(sessionId(first.sid), 1))?.answer?.text ?? ''
    const sentences = answered.split(/[.!?\n]/).filter((part) => part.trim().length > 20)
    expect(sentences.length).toBeGreaterThan(0)

    const put = async (entry: EntryBody) => {
      expect(await fabric.ingest.append({ partition, packet: encodeEntry(entry) })).toBe('taken')
      const outcome = () => fabric.ingest.outcome(partition, entry.requestId)
      await expect.poll(outcome, patient).toBeDefined()
      return Buffer.from((await outcome())?.body ?? []).toString()
    }
    const words = { author: 'user', authorId: uid, kind: 'text' } as const
    const send = { kind: 'send', uid, sid: sessionId(first.sid), fresh: true } as const
    const saying = (cmid: string, text: string): EntryBody => {
      const entry = { ...send, requestId: requestId(randomId()) }
      return { ...entry, said: { ...words, cmid: clientMessageId(cmid), content: { text } } }
    }
    // Half a character: no database stores that.
    expect(await put(saying('\ud800', said.dead))).toContain('internal')
    expect(await fabric.ingest.deadLetters(partition)).toMatchObject([{ kind: 'send', reason: 'failed' }])

    // Another session, whose answer is half done.
    const second = await say({ text: `Please say ${said.slow} slowly`, modelId: 'demo' }, randomId())
    const half = answerId(second.answer?.answerId ?? '')
    await device.waitFor('answer.delta', (frame) => frame.answerId === half && frame.index > 1)
    const sids = [first.sid, second.sid].map(sessionId)
    // Whoever owned the partition before knows this much.
    const known = await Promise.all(sids.map((sid) => knownOf(backend, sid)))

    const tag = keyring.tag(user, 'user')
    const token = link.split('/').at(-1) ?? ''
    const values = [...Object.values(said), ...sentences, token]
    const texts = [...values, user, user.slice(0, 20)]
    // The search would find what is there.
    expect(heldOf(await documents(), [user]).length).toBeGreaterThan(3)
    expect(heldOf(await keys(), [tag]).length).toBeGreaterThan(3)

    expect((await call('DELETE', '/chat/me')).status).toBe(204)
    await device.close()

    const looked = async () => {
      const rows = await documents()
      const ofUser = rows.filter(({ bytes }) => sids.some((sid) => bytes.includes(sid)))
      const sealed = ofUser.flatMap(({ place, document }) => sealedIn(document).map((path) => `${place} ${path}`))
      return { found: heldOf([...rows, ...(await keys())], texts), sealed, rows: ofUser.length }
    }
    // A worker learns at its next chunk that it writes for nobody.
    await expect.poll(async () => (await fabric.jobs.depth()).active, patient).toBe(0)
    const left = await looked()
    expect(left).toMatchObject({ found: [], sealed: [] })
    expect(left.rows).toBeGreaterThan(3)
    for (const row of (await documents()).filter(({ collection }) => collection === 'sessions')) {
      expect(row.document).toMatchObject({ erased: true, uid: `~${keyring.tag(user, 'alias')}` })
    }

    // Sealed values can't be searched: these are the keys that may be left, with ids, states and counts, and no room for more.
    const ofTag = (await keys()).filter(({ place }) => place.includes(tag))
    const kinds = new Map(ofTag.map(({ place, bytes }) => [place.split('}:')[1]?.split(':')[0], bytes.length]))
    kinds.delete('connections')
    expect([...kinds.keys()].sort()).toEqual(['answer', 'answers', 'epochs', 'log'])
    expect(Math.max(...kinds.values())).toBeLessThan(250)

    const description = JSON.parse((await call('GET', '/chat/openapi.json')).text) as {
      paths: Record<string, Record<string, unknown>>
    }
    const routes = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
    )
    expect(routes.length).toBeGreaterThan(10)
    for (const [method, path] of routes) {
      for (const sid of sids) {
        const ids: Record<string, string> = { sid, seq: '2', token }
        const url = path.replace(/\{(\w+)\}/g, (_all, name: string) => ids[name] ?? '')
        const { status, text } = await call(method, url)
        expect([url, ...texts.filter((each) => text.includes(each))]).toEqual([url])
        if (method === 'GET' && path !== url) expect([url, status]).toEqual([url, 404])
      }
    }
    expect(JSON.parse((await call('GET', '/chat/sessions')).text)).toMatchObject({ sessions: [] })
    // A token is good as long as it is: whoever has it comes as a new user with an old id, and with a place in a log that is gone.
    const { frames } = await system.device(edge, user, 'another-device', { resume: placeOf(device) })
    expect(values.filter((text) => JSON.stringify(frames).includes(text))).toEqual([])

    const rows = async () => {
      const conversation = ['sessions', 'messages']
      const all = (await documents()).filter(({ collection }) => conversation.includes(collection))
      return all.map(({ bytes }) => bytes.toString('hex')).sort()
    }
    const stubs = await rows()
    for (const { turn, next } of known) {
      const insert = { ...turn, seq: next, cmid: clientMessageId(randomId()), content: { text: said.late } }
      expect(
        await conversations.insertTurn(insert).then(
          ({ kind }) => kind,
          () => 'refused',
        ),
      ).not.toBe('inserted')
    }
    for (const cmid of [said.cmid, 'another-one']) {
      expect(await put(saying(cmid, said.late))).not.toContain('"ok":true')
    }
    const end = { status: 'done', text: said.late, endedAt: Date.now() } as const
    const ends = { kind: 'answer.end', uid, end, attempt: 1 } as const
    await put({ ...ends, sid: sessionId(second.sid), answerId: half, requestId: requestId('late-half') })
    await put({
      ...ends,
      sid: sessionId(first.sid),
      answerId: answerId(done.answerId),
      requestId: requestId('late-done'),
    })
    expect(await rows()).toEqual(stubs)
    expect(await looked()).toMatchObject({ found: [], sealed: [] })
  })
})

/** A turn of the session, and the place of the next. */
async function knownOf({ conversations }: Processes, sid: SessionId) {
  const turn = await conversations.turn(sid, 1)
  if (!turn) throw new Error('there is no turn')
  return { turn, next: (await conversations.totals(sid)).nextSeq }
}

/** Where bytes are left that somebody might open. */
function sealedIn(value: unknown, path = ''): string[] {
  if (value instanceof Uint8Array) return value.length > 0 ? [path] : []
  if (typeof value !== 'object' || value === null || '_bsontype' in value) return []
  return Object.entries(value).flatMap(([name, each]) => sealedIn(each, `${path}.${name}`))
}
