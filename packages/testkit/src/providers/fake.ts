import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { arrivals } from './arrivals.ts'
import type { Dialect } from './dialect.ts'
import type { Script, Step } from './script.ts'

export interface FakeRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** As JSON, or `undefined` where it is none. */
  readonly body: unknown
}

/** One request for an answer. */
export interface FakeCall extends FakeRequest {
  /** Resolves when the connection of this request is over, with whether the client closed it before we were through. */
  readonly closed: Promise<{ readonly byClient: boolean; readonly at: number }>
}

/** A vendor's server on a free port of 127.0.0.1, which answers as it is told. */
export interface FakeProvider {
  /** Without a path. */
  readonly url: string
  /** Requests for answers, the oldest first. */
  readonly calls: readonly FakeCall[]
  /** The other requests that came, such as those to stop. */
  readonly others: readonly FakeRequest[]
  /** How many connections there ever were. */
  readonly connections: number
  /** The call of this number, from 0, as soon as it was made. */
  call(index: number): Promise<FakeCall>
  /** The answers of the next requests, in their order. */
  next(...scripts: readonly Script[]): void
  /** The answer of every request that `next` has none for. */
  always(script: Script | ((request: FakeRequest) => Script)): void
  stop(): Promise<void>
}

export async function startFake(dialect: Dialect): Promise<FakeProvider> {
  const calls = arrivals<FakeCall>()
  const others: FakeRequest[] = []
  const scripts: Script[] = []
  let connections = 0
  let rest: (request: FakeRequest) => Script = () => ({ steps: [{ say: 'Hello.' }, { end: 'stop' }] })

  const server = createServer((incoming, response) => {
    // A client that closes is what these tests are about.
    response.on('error', () => undefined)
    answer(incoming, response).catch((error) => response.destroy(error))
  })

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await read(incoming)
    if (!dialect.asks(request)) {
      others.push(request)
      const other = dialect.other?.(request)
      return end(response, other?.status ?? 404, other?.body ?? dialect.errorBody(404, 'not found'))
    }
    const over = new AbortController()
    let whole = false
    // It is emitted, and `writableFinished` is true, of a long body as well that was thrown away with its socket.
    response.once('finish', () => {
      whole = !incoming.socket.destroyed
    })
    const closed = once(response, 'close').then(() => {
      over.abort()
      return { byClient: !whole, at: performance.now() }
    })
    calls.add({ ...request, closed })
    const refused = dialect.refuse?.(request)
    if (refused) return end(response, refused.status, refused.body)
    await play(dialect, request, scripts.shift() ?? rest(request), response, over.signal)
  }

  // A request must not meet a connection that is just being given up: it would fail without having come here.
  server.keepAliveTimeout = 60_000
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: calls.all,
    others,
    get connections() {
      return connections
    },
    call: calls.at,
    next: (...more) => void scripts.push(...more),
    always(script) {
      rest = typeof script === 'function' ? script : () => script
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function read(incoming: IncomingMessage): Promise<FakeRequest> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part)
  const { method = '', url = '', headers } = incoming
  return { method, path: url, headers, body: jsonOf(Buffer.concat(parts).toString('utf8')) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function end(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body)
}

async function play(
  dialect: Dialect,
  request: FakeRequest,
  { steps = [], beforeHeaders, status = 200, headers, body, cutAt, newline = '\n' }: Script,
  response: ServerResponse,
  closed: AbortSignal,
): Promise<void> {
  if (beforeHeaders !== undefined && !(await passed(beforeHeaders, closed))) return
  if (status !== 200 || body !== undefined) {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body ?? dialect.errorBody(status, `told to answer ${status}`))
    return
  }
  const stream = dialect.stream(request)
  response.writeHead(200, { 'content-type': stream.contentType, 'cache-control': 'no-cache', ...headers })
  const write = async (text: string | Uint8Array) => {
    const bytes = typeof text === 'string' ? Buffer.from(text.replaceAll('\n', newline)) : Buffer.from(text)
    const size = cutAt ?? bytes.length
    for (let i = 0; i < bytes.length; i += size) {
      if (closed.aborted) return
      const part = bytes.subarray(i, i + size)
      // Each part is a packet of its own: the next one waits for this one to be handed over.
      await new Promise<void>((resolve) => response.write(part, () => resolve()))
    }
  }
  await write(stream.begin())
  for (const step of steps) {
    if (closed.aborted) return
    if (!(await perform(step, stream, write, response, closed))) return
  }
  response.end()
}

/** Whether there is more to play. */
async function perform(
  step: Step,
  stream: ReturnType<Dialect['stream']>,
  write: (text: string | Uint8Array) => Promise<void>,
  response: ServerResponse,
  closed: AbortSignal,
): Promise<boolean> {
  if ('raw' in step) await write(step.raw)
  else if ('wait' in step) return passed(step.wait, closed)
  else if ('hang' in step) return passed(new Promise(() => undefined), closed)
  else if ('cut' in step) {
    response.destroy()
    return false
  } else await write(stream.write(step))
  return true
}

/** Whether it came to pass before the client left. */
async function passed(what: Promise<unknown> | number, closed: AbortSignal): Promise<boolean> {
  if (closed.aborted) return false
  const over = new AbortController()
  const left = new Promise<void>((resolve) =>
    closed.addEventListener('abort', () => resolve(), { once: true, signal: over.signal }),
  )
  await Promise.race([typeof what === 'number' ? pause(what, undefined, { ref: false }) : what, left])
  over.abort()
  return !closed.aborted
}
