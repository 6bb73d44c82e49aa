import type { TemplatedApp, HttpResponse as UwsResponse, us_listen_socket, WebSocket } from 'uWebSockets.js'
import uws from 'uWebSockets.js'
import { createServer } from 'node:net'
import type { AddressOf } from '@chatbox/runtime'
import type { Socket, SocketListener } from '../socket.ts'
import { abortSignal, addressIn, copyRequest, type HttpHandler, type HttpResponse, writeResponse } from './http.ts'

/** A request to open a socket, copied before the transport's objects die. */
export interface Handshake {
  readonly path: string
  readonly query: string
  readonly origin: string | undefined
  readonly host: string | undefined
  readonly authorization: string | undefined
  readonly address: string
}

export type Verdict =
  | { readonly accept: true; readonly opened: (socket: Socket) => SocketListener }
  | { readonly accept: false; readonly response: HttpResponse }

export interface TransportOptions {
  readonly host: string
  readonly port: number
  readonly path: string
  /** Above it the transport ends a connection by itself. */
  readonly maxFrameBytes: number
  /** Above it the transport drops frames; the outbox must have closed the socket long before. */
  readonly maxBufferedBytes: number
  readonly idleMs: number
  readonly addressOf: AddressOf
  /** Answers at once: a request whose client may leave meanwhile would have to be watched. */
  handshake(handshake: Handshake): Verdict
  readonly http: HttpHandler
}

export interface Transport {
  readonly port: number
  /** No new connections; those that are open stay, and plain requests on them are still answered. */
  stopAccepting(): void
  /** Resolves when the plain requests that are under way have been answered. */
  answered(): Promise<void>
  /** Cuts what is still open. */
  close(): void
}

interface UserData {
  /** Gone once it was called: it holds on to the whole handshake. */
  opened: ((socket: Socket) => SocketListener) | undefined
  listener: SocketListener | undefined
  closed: boolean
}

const OPTIONAL = (value: string): string | undefined => (value === '' ? undefined : value)

/** The one place that knows uWebSockets.js. Rejects with the system's code, such as `EADDRINUSE`, when it can't listen. */
export async function listen(options: TransportOptions): Promise<Transport> {
  const app = uws.App()
  const underWay = new Set<Promise<void>>()
  const track = (work: Promise<void>) => {
    const tracked = work.finally(() => underWay.delete(tracked))
    underWay.add(tracked)
  }

  app.ws<UserData>(options.path, {
    compression: uws.DISABLED,
    maxPayloadLength: options.maxFrameBytes,
    maxBackpressure: options.maxBufferedBytes,
    // In whole seconds, from 8 to 960; the transport pings by itself in time.
    idleTimeout: Math.min(960, Math.max(8, Math.round(options.idleMs / 1_000))),
    sendPingsAutomatically: true,

    upgrade(res, req, context) {
      const handshake: Handshake = {
        path: req.getUrl(),
        query: req.getQuery() ?? '',
        origin: OPTIONAL(req.getHeader('origin')),
        host: OPTIONAL(req.getHeader('host')),
        authorization: OPTIONAL(req.getHeader('authorization')),
        address: addressIn(res, req, options.addressOf),
      }
      const key = req.getHeader('sec-websocket-key')
      const verdict = options.handshake(handshake)
      if (verdict.accept) {
        const data: UserData = { opened: verdict.opened, listener: undefined, closed: false }
        // Neither a subprotocol nor an extension is taken up: the protocol has none.
        res.upgrade<UserData>(data, key, '', '', context)
        return
      }
      const signal = abortSignal(res)
      track(answer(res, signal, () => writeResponse(res, verdict.response, { signal, head: false })))
    },

    open(ws) {
      const data = ws.getUserData()
      data.listener = data.opened?.(new OpenSocket(ws))
      data.opened = undefined
    },
    message: (ws, bytes, binary) => ws.getUserData().listener?.message(new Uint8Array(bytes), binary),
    drain: (ws) => ws.getUserData().listener?.drained(),
    close(ws, code) {
      const data = ws.getUserData()
      data.closed = true
      data.listener?.closed(code)
    },
  })

  app.any('/*', (res, req) => {
    const { request, exchange } = copyRequest(res, req, options.addressOf)
    track(answer(res, exchange.signal, async () => writeResponse(res, await options.http(request), exchange)))
  })

  const listening = await listenExclusively(app, options)
  let accepting = true
  return {
    port: uws.us_socket_local_port(listening),
    stopAccepting() {
      if (accepting) uws.us_listen_socket_close(listening)
      accepting = false
    },
    async answered() {
      await Promise.all(underWay)
    },
    close() {
      accepting = false
      app.close()
    },
  }
}

/** The transport's object must not be touched once it is closed. */
class OpenSocket implements Socket {
  readonly #ws: WebSocket<UserData>
  readonly #data: UserData

  constructor(ws: WebSocket<UserData>) {
    this.#ws = ws
    this.#data = ws.getUserData()
  }

  send(frame: Uint8Array) {
    if (this.#data.closed) return 'dropped'
    const result = this.#ws.send(frame, false)
    return result === 1 ? 'sent' : result === 0 ? 'buffered' : 'dropped'
  }

  buffered() {
    return this.#data.closed ? 0 : this.#ws.getBufferedAmount()
  }

  close(code: number, reason: string) {
    if (!this.#data.closed) this.#ws.end(code, reason)
  }
}

/** A response that can't be made, or broke off in the middle, can only be cut. */
async function answer(res: UwsResponse, signal: AbortSignal, respond: () => Promise<void>): Promise<void> {
  try {
    await respond()
  } catch {
    // Whoever handles requests answers and logs their faults; what comes here is the client's end of a broken stream.
    if (!signal.aborted) res.close()
  }
}

/** The transport's own constant is a type only. By default two processes could share a port without knowing. */
const EXCLUSIVE_PORT = 1

async function listenExclusively(app: TemplatedApp, { host, port }: TransportOptions): Promise<us_listen_socket> {
  const socket = await new Promise<us_listen_socket | false>((resolve) => {
    // The published types know host and options apart only; the function takes both.
    Reflect.apply(app.listen, app, [host, port, EXCLUSIVE_PORT, resolve])
  })
  if (socket) return socket
  app.close()
  throw Object.assign(new Error(`cannot listen on ${host}:${port}`), { code: await whyNot(host, port) })
}

/** The transport says no more than that it failed; the system, asked again, says why. */
function whyNot(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EADDRINUSE'))
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve('EADDRINUSE')))
  })
}
