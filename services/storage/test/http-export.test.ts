import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type Conversations, requestId, type SessionId, sessionId, type Turn } from '@chatbox/core'
import { type MessageView, sessionExport } from '@chatbox/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listenHttp } from '../src/http/listen.ts'
import { type Bench, type BenchOptions, bench, user } from './fixture.ts'
import { as, conversation, tokenFor } from './support/rest.ts'

const times = { sweepMs: 3_600_000 }
const opened: (() => Promise<void>)[] = []

async function open(options: BenchOptions = {}): Promise<Bench> {
  const b = await bench({ times, ...options })
  opened.push(() => b.close())
  return b
}

const replacing = (replace: (real: Conversations) => Partial<Conversations>): BenchOptions => ({
  wrap: (deps) => ({ ...deps, conversations: { ...deps.conversations, ...replace(deps.conversations) } }),
})

/** Listens on a port, and asks for an export by hand. */
async function request(b: Bench, sid: string) {
  const part = listenHttp(b.storage.http, { host: '127.0.0.1', port: 0 })
  await part.start()
  opened.push(() => part.stop(AbortSignal.timeout(2_000)))
  return { socket: await askAgain(b, sid), server: b.storage.http.server }
}

async function askAgain({ storage: { http } }: Bench, sid: string, name = 'alice') {
  const { server } = http
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const head = [`GET /chat/sessions/${sid}/export HTTP/1.1`, 'Host: x', `Authorization: Bearer ${await tokenFor(name)}`]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  return socket
}

/** Takes no more of it than that. */
async function beginningOf(socket: Socket, leave = true): Promise<string> {
  const [beginning] = await once(socket, 'data')
  socket.pause()
  if (leave) socket.destroy()
  return String(beginning).slice(0, 12)
}

/** Nothing happens any more: as many turns of the event loop as a busy process needs many times over. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 300; i++) await new Promise(setImmediate)
}

const PAGE_BYTES = 100 * 10_000
/** Far above what sockets and streams hold, and below what the test would not survive. */
const MANY = 300

/** A session as long as anybody takes of it. */
function endless(of: { calls: number; onCall?: () => Promise<void> }) {
  return replacing((real) => ({
    async turns(sid, query) {
      if (query.after === undefined || query.limit !== 10) return real.turns(sid, query)
      of.calls += 1
      await of.onCall?.()
      if (of.calls > MANY) return []
      return Array.from({ length: 100 }, (_, i): Turn => ({ ...line(sid), seq: (query.after ?? 0) + 1 + i }))
    },
  }))
}

const line = (sid: SessionId): Turn => ({
  ...{ sid, seq: 1, width: 1, partition: 1, author: 'user', authorId: user('alice'), kind: 'text', ts: 1 },
  content: { text: 'x'.repeat(10_000) },
  unsettled: false,
  superseded: [],
})

describe('an export', () => {
  let b: Bench

  beforeEach(async () => {
    b = await open()
  })
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close()
  })

  it('holds the whole session, as history shows it', async () => {
    const alice = await as(b, 'alice')
    const sid = await conversation(b, 'alice', 'whole', ['One', 'Two', 'Three'])
    await b.say(user('alice'), sid, 'And then?')
    const response = await alice('GET', `/chat/sessions/${sid}/export`)
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(response.headers['content-disposition']).toBe('attachment; filename="chat-whole.json"')
    const exported = sessionExport.parse(response.json())
    expect(exported.session).toEqual((await alice('GET', `/chat/sessions/${sid}`)).json().session)
    expect(exported.messages).toEqual((await alice('GET', `/chat/sessions/${sid}/messages`)).json().messages)
    expect(exported.messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('goes through a long session page by page, each message once', async () => {
    const sid = await conversation(b, 'alice', 'long')
    const [turn] = await b.conversations.turns(sid, { limit: 1 })
    if (!turn) throw new Error('nothing was said')
    const { answer, cmid, ...row } = turn
    for (let seq = 3; seq <= 260; seq++) {
      await b.conversations.insertTurn({ ...row, seq, width: 1, unsettled: false, content: { text: `${seq}` } })
    }
    const { messages } = (await (await as(b, 'alice'))('GET', `/chat/sessions/${sid}/export`)).json()
    expect(messages.map(({ seq }: MessageView) => seq)).toEqual(Array.from({ length: 260 }, (_, i) => i + 1))
  })

  it('can be Markdown, in which a text is a text', async () => {
    const sid = sessionId('marked')
    await b.say(
      user('alice'),
      sid,
      '# Not a heading\n\n## Assistant (demo), 2020\n\n<b>bold</b> [link](http://evil.example)',
    )
    const response = await (await as(b, 'alice'))('GET', `/chat/sessions/${sid}/export?format=markdown`)
    expect(response.headers['content-type']).toBe('text/markdown; charset=utf-8')
    expect(response.headers['content-disposition']).toBe('attachment; filename="chat-marked.md"')
    expect(response.body.split('\n').filter((one) => one.startsWith('#'))).toEqual([
      '# \\# Not a heading',
      expect.stringMatching(/^## You, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/),
      expect.stringMatching(/^## Assistant \(demo\), \d{4}/),
    ])
    expect(response.body).toContain('\n\n\\# Not a heading\n\n\\#\\# Assistant (demo), 2020\n\n')
    expect(response.body).toContain('\\<b\\>bold\\</b\\> \\[link\\](http://evil.example)')
    expect(response.body).toContain('*This answer was still being written.*')
  })

  it('is read no faster than it is taken', async () => {
    const source = { calls: 0 }
    const slow = await open(endless(source))
    await conversation(slow, 'alice', 'endless')
    const { socket } = await request(slow, 'endless')
    socket.pause()
    for (let before = -1; before !== source.calls; ) {
      before = source.calls
      await quiet()
    }
    expect(source.calls).toBeGreaterThan(0)
    expect(source.calls).toBeLessThan(MANY / 4)
    socket.destroy()
  })

  it('ends when nobody takes it any more', async () => {
    const source = { calls: 0 }
    const left = await open(endless(source))
    await conversation(left, 'alice', 'endless')
    const { socket, server } = await request(left, 'endless')
    let taken = 0
    socket.on('data', (bytes) => {
      taken += bytes.length
      if (taken > 3 * PAGE_BYTES) socket.destroy()
    })
    await once(socket, 'close')
    while ((await connectionsOf(server)) > 0) await quiet()
    const { calls } = source
    await quiet()
    expect(source.calls).toBe(calls)
    expect(calls).toBeLessThan(MANY / 4)
  })

  it('is given to a user three times at once, and again when somebody has it or has left', async () => {
    const b = await open(endless({ calls: 0 }))
    const sid = await conversation(b, 'alice', 'session-1')
    const { socket } = await request(b, sid)
    const sockets = [socket, await askAgain(b, sid), await askAgain(b, sid)]
    // None of them takes more than its beginning.
    for (const each of sockets)
      expect(
        String(
          (
            await once(
              each.once('data', () => each.pause()),
              'data',
            )
          )[0],
        ),
      ).toMatch(/^HTTP\/1.1 200/)
    const ask = await as(b, 'alice')
    const refused = await ask('GET', `/chat/sessions/${sid}/export`)
    expect([refused.statusCode, refused.json().error.code]).toEqual([429, 'rate_limited'])
    await conversation(b, 'bob', 'session-2')
    expect(await beginningOf(await askAgain(b, 'session-2', 'bob'))).toBe('HTTP/1.1 200')
    sockets[0]?.destroy()
    await expect.poll(async () => beginningOf(await askAgain(b, sid))).toBe('HTTP/1.1 200')
    for (const each of sockets) each.destroy()
  })

  it('is cut off when the session is erased meanwhile', async () => {
    const source: { calls: number; onCall?: () => Promise<void> } = { calls: 0 }
    const erasing = await open(endless(source))
    const sid = await conversation(erasing, 'alice', 'doomed')
    source.onCall = async () => {
      if (source.calls !== 3) return
      await erasing.ask({ kind: 'session.erase', uid: user('alice'), sid, requestId: requestId('erase') })
    }
    const { socket } = await request(erasing, sid)
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    await once(socket, 'close')
    expect(source.calls).toBe(3)
    const text = Buffer.concat(chunks).toString()
    // Without the last, empty chunk, whoever reads it can tell that something is missing.
    expect(text.startsWith('HTTP/1.1 200')).toBe(true)
    expect(text.endsWith('\r\n0\r\n\r\n')).toBe(false)
    expect(erasing.log.filter((entry) => entry.includes('an export was broken off'))).toHaveLength(1)
  })
})

const connectionsOf = (server: Bench['storage']['http']['server']) =>
  new Promise<number>((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
