import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type ClientFrame,
  type ClientFrameOf,
  type ClientFrameType,
  clientDecoder,
  type ServerFrame,
  type ServerFrameOf,
  serverFrames,
} from '@chatbox/protocol'
import { type WebSocket, WebSocketServer } from 'ws'

/** One connection as the server sees it. Frames wait here until a test asks for them, so none is missed. */
export interface Peer {
  /** Everything that came, in order. */
  readonly frames: readonly ClientFrame[]
  readonly closed: Promise<number>
  /** The next frame of this type that was not taken yet. */
  next<T extends ClientFrameType>(type: T): Promise<ClientFrameOf<T>>
  send(frame: ServerFrame): void
  /** Sends it as it is, valid or not. */
  raw(text: string): void
  /** Takes the hello and lets the client in. */
  welcome(ready?: Partial<ServerFrameOf<'ready'>>): Promise<ClientFrameOf<'hello'>>
  /** From now on pings are not answered. */
  mute(): void
  close(code: number, reason?: string): void
  terminate(): void
}

export interface RestRequest {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly token: string | undefined
}

export interface RestReply {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface ScriptedServer {
  readonly url: string
  /** The next connection, in the order of their coming. */
  peer(): Promise<Peer>
  readonly connections: number
  /** The next so many upgrades are answered with 403, as for an origin that is not allowed. */
  refuseUpgrades(count: number): void
  readonly requests: readonly RestRequest[]
  rest(answer: (request: RestRequest) => RestReply | Promise<RestReply>): void
  stop(): Promise<void>
}

/** A real server whose lines are spoken by the test. It checks what both sides say against the protocol. */
export async function scriptedServer(): Promise<ScriptedServer> {
  const peers = queue<Peer>()
  const requests: RestRequest[] = []
  let connections = 0
  let answer: (request: RestRequest) => RestReply | Promise<RestReply> = () => ({ status: 404, body: {} })

  const http = createServer(async (request, response) => {
    const asked = restRequest(request)
    requests.push(asked)
    const { status, body, headers } = await answer(asked)
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
  })
  let refusals = 0
  const sockets = new WebSocketServer({
    server: http,
    path: '/chat/ws',
    verifyClient: (_info, decide) => decide(refusals-- <= 0, 403),
  })
  sockets.on('connection', (socket) => {
    connections++
    peers.put(peerOf(socket))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    peer: () => peers.take(() => true),
    get connections() {
      return connections
    },
    refuseUpgrades: (count) => {
      refusals = count
    },
    requests,
    rest: (next) => {
      answer = next
    },
    async stop() {
      for (const socket of sockets.clients) socket.terminate()
      await new Promise((resolve) => sockets.close(resolve))
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

function restRequest(request: IncomingMessage): RestRequest {
  const url = new URL(request.url ?? '/', 'http://here')
  const token = request.headers.authorization?.replace('Bearer ', '')
  return { path: url.pathname, query: Object.fromEntries(url.searchParams), token }
}

function peerOf(socket: WebSocket): Peer {
  const decode = clientDecoder()
  const frames: ClientFrame[] = []
  const waiting = queue<ClientFrame>()
  let answering = true

  const raw = (text: string) => socket.send(text)
  const send = (frame: ServerFrame) => {
    serverFrames[frame.type].parse(frame)
    raw(JSON.stringify(frame))
  }
  socket.on('message', (data: Buffer) => {
    const decoded = decode(data)
    if (!decoded.ok) throw new Error(`the client sent what the protocol refuses: ${JSON.stringify(decoded.fault)}`)
    const { frame } = decoded
    frames.push(frame)
    waiting.put(frame)
    if (frame.type === 'ping' && answering) send({ type: 'pong', ts: Date.now() })
  })
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code: number) => resolve(code))
  })

  const next = <T extends ClientFrameType>(type: T) =>
    waiting.take((frame) => frame.type === type) as Promise<ClientFrameOf<T>>
  return {
    frames,
    closed,
    next,
    send,
    raw,
    async welcome(ready) {
      const hello = await next('hello')
      send(readyFrame(ready))
      return hello
    },
    mute: () => {
      answering = false
    },
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
}

export const readyFrame = (fields: Partial<ServerFrameOf<'ready'>> = {}): ServerFrameOf<'ready'> => ({
  type: 'ready',
  protocol: 1,
  connectionId: 'c1',
  userId: 'ann',
  at: 'p0',
  recovered: false,
  reloadAfterMs: 0,
  models: [{ id: 'demo', label: 'Demo', default: true }],
  limits: { frame: 65_536 },
  pingMs: 25_000,
  expiresAt: Date.now() + 3_600_000,
  ...fields,
})

interface Queue<T> {
  put(item: T): void
  take(fits: (item: T) => boolean): Promise<T>
}

function queue<T>(): Queue<T> {
  const items: T[] = []
  const takers: { fits(item: T): boolean; give(item: T): void }[] = []
  return {
    put(item) {
      const place = takers.findIndex((taker) => taker.fits(item))
      if (place < 0) items.push(item)
      else takers.splice(place, 1)[0]?.give(item)
    },
    take(fits) {
      const place = items.findIndex(fits)
      if (place >= 0) return Promise.resolve(items.splice(place, 1)[0] as T)
      return new Promise((give) => takers.push({ fits, give }))
    },
  }
}
