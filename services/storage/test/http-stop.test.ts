import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeEntry, type EntryBody, Unavailable } from '@chatbox/core'
import { errorBody } from '@chatbox/protocol'
import { ListenError, type Part } from '@chatbox/runtime'
import { afterEach, describe, expect, it } from 'vitest'
import { listenHttp } from '../src/http/listen.ts'
import { type Bench, type BenchOptions, bench } from './fixture.ts'
import { conversation, tokenFor } from './support/rest.ts'

const opened: (() => Promise<void>)[] = []

interface Listening {
  readonly b: Bench
  readonly part: Part
  readonly url: URL
}

async function listening(options: BenchOptions = {}): Promise<Listening> {
  const b = await bench({ times: { sweepMs: 3_600_000 }, ...options })
  const part = listenHttp(b.storage.http, { host: '127.0.0.1', port: 0 })
  await part.start()
  const [address] = part.addresses?.() ?? []
  opened.push(async () => {
    await part.stop(AbortSignal.timeout(1_000))
    await b.close()
  })
  return { b, part, url: new URL(address ?? '') }
}

interface Got {
  readonly status: number
  readonly body: string
}

/** A request over the agent's connections, which are kept; rejects when the connection breaks before the answer is whole. */
function call(url: URL, agent: Agent, method: string, token: string, body?: object): Promise<Got> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) }
    const request = httpRequest(url, { method, agent, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += String(chunk)
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    request.on('error', reject)
    request.end(body && JSON.stringify(body))
  })
}

async function open(url: URL): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

function event() {
  let happen: () => void = () => undefined
  const happened = new Promise<void>((resolve) => {
    happen = resolve
  })
  return { happen, happened }
}

const answerOf = (socket: Socket) =>
  new Promise<string>((resolve) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    socket.on('close', () => resolve(text))
  })

describe('a stop of the port', () => {
  afterEach(async () => {
    for (const close of opened.splice(0)) await close()
  })

  it('under load answers everything that it took, and loses nothing (S9)', async () => {
    const asked = new Set<string>()
    const { b, part, url } = await listening({
      wrap: (deps) => ({
        ...deps,
        fabric: {
          ...deps.fabric,
          ingest: {
            ...deps.fabric.ingest,
            append: (entry) => {
              const body: EntryBody = decodeEntry(entry.packet)
              if (body.kind === 'session.rename') asked.add(body.name)
              return deps.fabric.ingest.append(entry)
            },
          },
        },
      }),
    })
    const token = await tokenFor('alice')
    const agent = new Agent({ keepAlive: true, maxSockets: 30 })
    const [answered, broken] = [new Set<string>(), new Set<string>()]
    let stopping: Promise<void> | undefined
    const statuses = new Set<number>()

    async function client(n: number): Promise<void> {
      const sid = await conversation(b, 'alice', `session-${n}`)
      for (let i = 0; i < 200; i++) {
        const name = `name ${n}.${i}`
        try {
          const { status, body } = await call(new URL(`/chat/sessions/${sid}`, url), agent, 'PATCH', token, { name })
          statuses.add(status)
          if (status === 200 && JSON.parse(body).session.name === name) answered.add(name)
        } catch {
          broken.add(name)
          if (stopping) return
        }
        if (answered.size > 60) stopping ??= part.stop(AbortSignal.timeout(10_000))
      }
    }
    await Promise.all(Array.from({ length: 10 }, (_, n) => client(n)))
    await stopping

    expect(stopping).toBeDefined()
    expect([...statuses]).toEqual([200])
    // Whoever was not answered was not taken either, and may ask elsewhere.
    expect([...broken].filter((name) => asked.has(name))).toEqual([])
    expect(broken.size).toBeGreaterThan(0)
    expect([...asked].filter((name) => !answered.has(name))).toEqual([])
    for (let n = 0; n < 10; n++) {
      const [last] = [...answered].filter((name) => name.startsWith(`name ${n}.`)).slice(-1)
      expect((await b.conversations.session(`session-${n}` as never))?.nm).toBe(last)
    }
    agent.destroy()
  })

  it('closes connections on which nothing is asked, at once', async () => {
    const { part, url } = await listening()
    const idle = await open(url)
    const used = await open(url)
    used.write('GET /chat/nothing HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(used, 'data')
    const closed = Promise.all([once(idle, 'close'), once(used, 'close')])
    // Without a deadline: it must not need one.
    await part.stop(new AbortController().signal)
    await closed
    await expect(open(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('waits for what is under way, and closes its connection after the answer', async () => {
    const [asked, room] = [event(), event()]
    const { part, url } = await listening({
      wrap: (deps) => ({
        ...deps,
        conversations: {
          ...deps.conversations,
          async listSessions(...args) {
            asked.happen()
            await room.happened
            return deps.conversations.listSessions(...args)
          },
        },
      }),
    })
    const socket = await open(url)
    socket.write(`GET /chat/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await tokenFor('alice')}\r\n\r\n`)
    const answer = answerOf(socket)
    await asked.happened
    let stopped = false
    const stop = part.stop(AbortSignal.timeout(10_000)).then(() => {
      stopped = true
    })
    for (let i = 0; i < 50; i++) await new Promise(setImmediate)
    expect(stopped).toBe(false)
    room.happen()
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK.*\{"sessions":\[\]\}$/s)
    await stop
  })

  it('cuts off what is not answered by its deadline', async () => {
    const asked = event()
    const { b, part, url } = await listening({
      wrap: (deps) => ({
        ...deps,
        conversations: {
          ...deps.conversations,
          listSessions() {
            asked.happen()
            return new Promise(() => undefined)
          },
        },
      }),
    })
    const socket = await open(url)
    socket.write(`GET /chat/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await tokenFor('alice')}\r\n\r\n`)
    await asked.happened
    const deadline = new AbortController()
    const closed = once(socket, 'close')
    const stop = part.stop(deadline.signal)
    deadline.abort(new Error('no more time'))
    await stop
    await closed
    await b.storage.stop(deadline.signal)
  })

  it('of storage waits for changes that are on their way to the log, over whatever they came', async () => {
    const [asked, stopping] = [event(), event()]
    const { b } = await listening({
      wrap: (deps) => ({
        ...deps,
        fabric: {
          ...deps.fabric,
          ingest: {
            ...deps.fabric.ingest,
            async append(entry) {
              if (decodeEntry(entry.packet).kind === 'session.end') {
                asked.happen()
                await stopping.happened
              }
              return deps.fabric.ingest.append(entry)
            },
          },
        },
      }),
    })
    await conversation(b, 'alice', 'last')
    const headers = { authorization: `Bearer ${await tokenFor('alice')}` }
    const response = b.storage.http.inject({ method: 'POST', url: '/chat/sessions/last/end', headers })
    await asked.happened
    const stopped = b.storage.stop(AbortSignal.timeout(10_000))
    for (let i = 0; i < 50; i++) await new Promise(setImmediate)
    stopping.happen()
    expect((await response).statusCode).toBe(200)
    await stopped
    expect((await b.conversations.session('last' as never))?.endTs).toBeGreaterThan(0)
  })
})

describe('the port', () => {
  afterEach(async () => {
    for (const close of opened.splice(0)) await close()
  })

  it('that is taken keeps the service from starting, and says which', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const b = await bench({ times: { sweepMs: 3_600_000 } })
    const start = listenHttp(b.storage.http, { host: '127.0.0.1', port }).start()
    await expect(start).rejects.toThrow(ListenError)
    await expect(start).rejects.toThrow(`127.0.0.1:${port}`)
    other.close()
    await b.close()
  })

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'invalid_frame'],
    ['headers that are too large', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'too_large'],
    [
      'two lengths',
      'POST /chat/me HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'invalid_frame',
    ],
  ])('answers %s in the way of every refusal, and closes', async (_what, bytes, status, code) => {
    const { url } = await listening()
    const socket = await open(url)
    const answer = answerOf(socket)
    socket.write(bytes)
    const [head = '', body = ''] = (await answer).split('\r\n\r\n')
    expect(head).toContain(`HTTP/1.1 ${status} `)
    const lines = head.toLowerCase().split('\r\n')
    expect(lines).toEqual(
      expect.arrayContaining(['vary: origin', 'cache-control: no-store', 'x-content-type-options: nosniff']),
    )
    expect(errorBody.parse(JSON.parse(body)).error.code).toBe(code)
  })

  it('takes no body above its limit, though it is not said how long it will be', async () => {
    const { url } = await listening()
    const response = await fetch(new URL('/chat/me', url), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${await tokenFor('alice')}`, 'content-type': 'application/json' },
      body: new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(10_000).fill(32)),
      }),
      duplex: 'half',
    } as RequestInit).catch((error: Error) => error)
    // The answer may be cut off by the bytes that still come; nothing was done in any case.
    if (response instanceof Response) expect(response.status).toBe(413)
    else expect(response.message).toBe('fetch failed')
  })

  it('answers within its time when the log of requests is away (P8)', async () => {
    const { b, url } = await listening({
      times: { sweepMs: 3_600_000, requestMs: 300 },
      wrap: (deps) => ({
        ...deps,
        fabric: {
          ...deps.fabric,
          ingest: { ...deps.fabric.ingest, append: async () => 'unknown', outcome: async () => undefined },
        },
      }),
    })
    const away = await call(new URL('/chat/me', url), new Agent(), 'DELETE', await tokenFor('alice'))
    expect([away.status, JSON.parse(away.body).error]).toMatchObject([503, { code: 'unavailable', retryable: true }])
    const database = await listening({
      wrap: (deps) => ({
        ...deps,
        conversations: { ...deps.conversations, listSessions: () => Promise.reject(new Unavailable('away')) },
      }),
    })
    const list = await call(new URL('/chat/sessions', database.url), new Agent(), 'GET', await tokenFor('alice'))
    expect([list.status, JSON.parse(list.body).error]).toMatchObject([503, { code: 'unavailable', retryable: true }])
    expect(b.log.join('')).not.toContain(await tokenFor('alice'))
  })

  it('counts what went before among the time of a change, so that all of it together is within the limit (P8)', async () => {
    const asked: number[] = []
    const slow = (requestMs: number, limiterMs: number) =>
      listening({
        times: { sweepMs: 3_600_000, requestMs },
        wrap: (deps) => ({
          ...deps,
          fabric: {
            ...deps.fabric,
            limiter: {
              ...deps.fabric.limiter,
              async consume(...given) {
                await sleep(limiterMs)
                return deps.fabric.limiter.consume(...given)
              },
            },
            ingest: {
              ...deps.fabric.ingest,
              async append({ ttlMs }) {
                asked.push(ttlMs ?? Number.NaN)
                return 'full'
              },
            },
          },
        }),
      })
    const erase = async ({ url }: Awaited<ReturnType<typeof slow>>) => {
      const { status, body } = await call(new URL('/chat/me', url), new Agent(), 'DELETE', await tokenFor('alice'))
      return [status, JSON.parse(body).error.code]
    }
    expect(await erase(await slow(60_000, 200))).toEqual([503, 'overloaded'])
    expect(asked).toHaveLength(1)
    // A timer may come a millisecond early.
    expect(asked[0]).toBeLessThanOrEqual(60_000 - 199)
    // No time is left to ask for anything.
    expect(await erase(await slow(20, 60))).toEqual([503, 'unavailable'])
    expect(asked).toHaveLength(1)
  })
})
