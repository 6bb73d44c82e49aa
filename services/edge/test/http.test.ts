import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { type Socket, connect as tcp } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BodyTooLarge, errorResponse, type HttpHandler, type HttpRequest } from '../src/index.ts'
import { echo, openEdge, until } from './support/open-edge.ts'

const text = (body: string) => ({ status: 200, headers: { 'content-type': 'text/plain' }, body })
const MIB = 1_048_576

const serve = async (http?: HttpHandler, finishMs = 1_000) => openEdge({ ...(http && { http }), times: { finishMs } })

/** Answers with what came, or with 413. */
const echoing: HttpHandler = async (asked) => {
  try {
    const body = await asked.body()
    return text(createHash('sha256').update(body).digest('hex'))
  } catch (error) {
    if (error instanceof BodyTooLarge) return errorResponse(413, 'too_large', 'r-1')
    throw error
  }
}

function ask(url: string, options: RequestOptions = {}): ClientRequest {
  const asked = request(url, options)
  onTestFinished(() => void asked.destroy())
  return asked
}

async function response(asked: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return answer
}

/** A bare connection, and all that came back on it. */
async function bare(url: string) {
  const socket: Socket = tcp(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let received = ''
  socket.on('data', (data) => {
    received += data
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return {
    socket,
    get received() {
      return received
    },
  }
}

describe('plain requests on the port of the sockets', () => {
  it('are answered with not_found when nobody serves them', async () => {
    const { url } = await serve()
    const answer = await fetch(`${url}/chat/sessions`)
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ error: { code: 'not_found', requestId: expect.any(String) } })
  })

  it('reach their handler as they were sent', async () => {
    let seen: HttpRequest | undefined
    const { url } = await serve(async (asked) => {
      seen = asked
      await asked.body()
      return text('')
    })
    await fetch(`${url}/a/b?c=d&e=%20f`, { method: 'PUT', body: 'what', headers: { 'X-One': 'Two' } })
    expect(seen).toMatchObject({ method: 'PUT', url: '/a/b?c=d&e=%20f', address: '127.0.0.1' })
    expect(seen?.headers).toMatchObject({ 'x-one': 'Two', host: new URL(url).host })
    expect(Buffer.from((await seen?.body()) ?? []).toString()).toBe('what')
  })

  it('may be for the path of the socket, without an upgrade', async () => {
    const { url } = await serve(async () => text('not a socket'))
    expect(await (await fetch(`${url}/chat/ws`)).text()).toBe('not a socket')
  })

  it('are answered with status, headers and body', async () => {
    const { url } = await serve(async () => ({
      status: 201,
      headers: { 'set-cookie': ['a=1', 'b=2'], 'x-one': 'two', 'content-length': '999', connection: 'close' },
      body: new TextEncoder().encode('grüße'),
    }))
    const answer = await fetch(url)
    expect(answer.status).toBe(201)
    expect(answer.statusText).toBe('Created')
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(answer.headers.get('x-one')).toBe('two')
    expect(answer.headers.get('content-length')).toBe('7')
    expect(await answer.text()).toBe('grüße')
  })

  it('share a connection, also after responses that have no body', async () => {
    const { url } = await serve(async ({ method, url: path }) => {
      if (path === '/204') return { status: 204, headers: {}, body: '' }
      if (path === '/stream') return { status: 200, headers: { 'content-length': '3' }, body: chunks(['one']) }
      return text(`${method} body`)
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const sockets = new Set<unknown>()
    const got: unknown[] = []
    for (const [method, path] of [
      ['HEAD', '/'],
      ['GET', '/204'],
      ['HEAD', '/stream'],
      ['GET', '/stream'],
      ['GET', '/'],
    ] as const) {
      const asked = ask(`${url}${path}`, { method, agent })
      asked.once('socket', (socket) => sockets.add(socket))
      asked.end()
      const answer = await response(asked)
      const body = Buffer.concat(await answer.toArray()).toString()
      got.push([answer.statusCode, answer.headers['content-length'], body])
    }
    expect(got).toEqual([
      [200, '9', ''],
      [204, undefined, ''],
      [200, '3', ''],
      [200, undefined, 'one'],
      [200, '8', 'GET body'],
    ])
    expect(sockets.size).toBe(1)
  })

  it('that fail show a code and a request id, and their fault is logged', async () => {
    const failing: HttpHandler[] = [
      () => Promise.reject(new Error('canary of a fault')),
      () => {
        throw new Error('canary of a fault')
      },
    ]
    for (const http of failing) {
      const { url, log } = await serve(http)
      const answer = await fetch(url)
      expect(answer.status).toBe(500)
      const body = await answer.text()
      expect(body).not.toContain('canary')
      const { error } = JSON.parse(body) as { error: { code: string; requestId: string } }
      expect(error.code).toBe('internal')
      expect(log.find((line) => line.includes('a request failed'))).toContain(error.requestId)
    }
  })
})

async function* chunks(parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield new TextEncoder().encode(part)
}

describe('a streamed response', () => {
  it('comes as it is made, and an empty piece is not its end', async () => {
    let goOn = (): void => undefined
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const { url } = await serve(async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        yield Buffer.from('first')
        yield new Uint8Array()
        await waiting
        yield Buffer.from('second')
      })(),
    }))
    const asked = ask(url)
    asked.end()
    const answer = await response(asked)
    let came = ''
    answer.on('data', (data) => {
      came += data
    })
    await until(() => came === 'first', 'the first piece is there')
    goOn()
    await until(() => answer.readableEnded, 'it has ended')
    expect(came).toBe('firstsecond')
  })

  it('is made no faster than it is read, and nothing of it is lost', async () => {
    const size = 64 * MIB
    const piece = randomBytes(65_536)
    let made = 0
    const sent = createHash('sha256')
    const { url } = await serve(async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        while (made < size) {
          made += piece.byteLength
          sent.update(piece)
          yield piece
        }
      })(),
    }))
    const asked = ask(url)
    asked.end()
    const answer = await response(asked)
    answer.pause()
    let before = -1
    await until(async () => {
      const still = made === before
      before = made
      await new Promise((resolve) => setTimeout(resolve, 50))
      return still
    }, 'it stands still')
    expect(made).toBeLessThan(size / 2)
    const got = createHash('sha256')
    for await (const data of answer) got.update(data as Buffer)
    expect(made).toBe(size)
    expect(got.digest('hex')).toBe(sent.digest('hex'))
  })

  it.each([
    ['between two pieces', false],
    ['while nothing comes', true],
    ['while there is no room', false],
  ])('ends with its client, who leaves %s', async (when, silent) => {
    let ended = false
    let aborted = false
    let closed = false
    const { url, device } = await serve(async ({ signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true
      })
      const endless: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => {
          let n = 0
          return {
            next: async () => {
              n += 1
              if (silent && n > 1) return new Promise(() => undefined)
              if (when === 'between two pieces') await new Promise((resolve) => setTimeout(resolve, 5))
              return { done: false, value: Buffer.alloc(65_536) }
            },
            return: async () => {
              ended = true
              return { done: true, value: undefined }
            },
          }
        },
      }
      return { status: 200, headers: {}, body: endless }
    })
    const asked = ask(url)
    asked.on('error', () => undefined)
    asked.end()
    const answer = await response(asked)
    answer.on('error', () => undefined)
    answer.on('close', () => {
      closed = true
    })
    await once(answer, 'data')
    if (when === 'while there is no room') {
      answer.pause()
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    asked.destroy()
    await until(() => ended && aborted && closed, 'it has ended')
    await echo(await device('ada'))
  })

  it('that breaks off is cut, so that nobody takes it for whole', async () => {
    const { url } = await serve(async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        yield Buffer.from('half')
        throw new Error('the other half is missing')
      })(),
    }))
    await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow()
  })
})

describe('the body of a request', () => {
  it('of exactly 1 MiB is taken, in whatever pieces it comes', async () => {
    const { url } = await serve(echoing)
    const body = randomBytes(MIB)
    const asked = ask(url, { method: 'POST', headers: { 'content-length': MIB } })
    for (let i = 0; i < MIB; i += 100_000) {
      asked.write(body.subarray(i, i + 100_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    asked.end()
    const answer = await response(asked)
    expect(Buffer.concat(await answer.toArray()).toString()).toBe(createHash('sha256').update(body).digest('hex'))
  })

  it('above that is refused before it has come, and the server lives', async () => {
    const { url, device } = await serve(echoing)
    for (const headers of [{ 'content-length': 50 * MIB }, { 'transfer-encoding': 'chunked' }]) {
      const asked = ask(url, { method: 'POST', headers })
      asked.on('error', () => undefined)
      const answered = response(asked)
      let sent = 0
      const piece = Buffer.alloc(65_536)
      const send = () => {
        while (!asked.destroyed && sent < 40 * MIB) {
          sent += piece.byteLength
          if (!asked.write(piece)) return void asked.once('drain', send)
        }
      }
      send()
      const answer = await answered
      expect(answer.statusCode).toBe(413)
      asked.destroy()
    }
    await echo(await device('ada'))
  })

  it.each([
    ['a length', 'Content-Length: 60\r\n\r\n', ''],
    ['pieces', 'Transfer-Encoding: chunked\r\n\r\n3c\r\n', '\r\n0\r\n\r\n'],
  ])('with %s, that nobody waited for, is not taken for the next request', async (_what, head, tail) => {
    for (const path of ['/plain', '/streamed']) {
      const { url } = await serve(async ({ url: asked }) => ({
        ...text(asked),
        ...(path === '/streamed' && { body: chunks([asked]) }),
      }))
      const client = await bare(url)
      const half = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n'
      const rest = '\r\n\r\n'.padStart(60 - half.length, 'x')
      client.socket.write(`POST ${path} HTTP/1.1\r\nHost: h\r\n${head}${half}`)
      await until(() => client.received.includes(path), 'it is answered')
      client.socket.write(`${rest}${tail}GET /next HTTP/1.1\r\nHost: h\r\n\r\n`)
      await until(() => client.received.includes('/next'), 'the next one is answered')
      expect(client.received).not.toContain('/smuggled')
    }
  })

  it('that comes slowly keeps nobody waiting, and is given up with its client', async () => {
    const failed: unknown[] = []
    const open = await serve(async (asked) => {
      if (asked.method === 'GET') return text('quick')
      await asked.body().catch((error: unknown) => failed.push(error))
      return text('slow')
    })
    const slow = await Promise.all(Array.from({ length: 50 }, () => bare(open.url)))
    for (const { socket } of slow) socket.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx')
    const headless = await Promise.all(Array.from({ length: 50 }, () => bare(open.url)))
    for (const { socket } of headless) socket.write('GET / HTTP/1.1\r\nHo')
    const client = await open.device('ada')
    for (let i = 0; i < 20; i++) {
      for (const { socket } of slow) socket.write('x')
      const from = Date.now()
      expect(await (await fetch(open.url)).text()).toBe('quick')
      await echo(client)
      expect(Date.now() - from).toBeLessThan(1_000)
    }
    for (const { socket } of [...slow, ...headless]) socket.destroy()
    await until(() => failed.length === 50, 'all of them were given up')
    expect(String(failed[0])).toContain('the client went away')
  })
})

describe('a stop', () => {
  it('lets a request that is under way be answered', async () => {
    let goOn = (): void => undefined
    let begun = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      begun = resolve
    })
    const { url, edge } = await serve(async () => {
      begun()
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
      return text('answered all the same')
    }, 5_000)
    const answer = fetch(url).then((came) => came.text())
    await asked
    const stopping = edge.stop(AbortSignal.timeout(5_000))
    setTimeout(goOn, 50)
    expect(await answer).toBe('answered all the same')
    await stopping
  })

  it('ends connections that nothing is asked on', async () => {
    const { url, edge } = await serve()
    const client = await bare(url)
    client.socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
    await until(() => client.received.includes('not_found'), 'it is answered')
    await edge.stop(AbortSignal.timeout(5_000))
    await until(() => client.socket.closed || client.socket.readableEnded, 'it has ended')
  })

  it('waits for none that takes too long', async () => {
    let begun = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      begun = resolve
    })
    const { url, edge } = await serve(() => {
      begun()
      return new Promise(() => undefined)
    }, 100)
    const answer = fetch(url).then(
      () => 'answered',
      () => 'cut',
    )
    await asked
    await edge.stop(AbortSignal.timeout(5_000))
    expect(await answer).toBe('cut')
  })
})
