import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js'
import uws from 'uWebSockets.js'
import type { Socket, SocketListener } from '../socket.ts'
import { copyRequest, type HttpHandler, type HttpResponse, writeResponse } from './http.ts'

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
  handshake(handshake: Handshake): Promise<Verdict>
  readonly http: HttpHandler
}

export interface Transport {
  readonly port: number
  /** No new sockets and no new requests; those that are open stay. */
  stopAccepting(): void
  close(): void
}

interface UserData {
  readonly opened: (socket: Socket) => SocketListener
  listener?: SocketListener
}

const OPTIONAL = (value: string): string | undefined => (value === '' ? undefined : value)

/** The one place that knows uWebSockets.js. Rejects with `EADDRINUSE` when the port is taken. */
export function listen(options: TransportOptions): Promise<Transport> {
  const app = uws.App()

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
        address: Buffer.from(res.getRemoteAddressAsText()).toString('utf8'),
      }
      const key = req.getHeader('sec-websocket-key')
      const protocol = req.getHeader('sec-websocket-protocol')
      const extensions = req.getHeader('sec-websocket-extensions')
      const gone = new AbortController()
      res.onAborted(() => gone.abort())

      options
        .handshake(handshake)
        .catch((): Verdict => ({ accept: false, response: { status: 503, headers: {}, body: '' } }))
        .then((verdict) => {
          if (gone.signal.aborted) return undefined
          if (!verdict.accept) return writeResponse(res, verdict.response, gone.signal)
          res.cork(() => {
            res.upgrade<UserData>({ opened: verdict.opened }, key, protocol, extensions, context)
          })
          return undefined
        })
        .catch(() => res.close())
    },

    open(ws) {
      let open = true
      const data = ws.getUserData()
      const listener = data.opened({
        send: (frame) => {
          if (!open) return 'dropped'
          const result = ws.send(frame, false)
          return result === 1 ? 'sent' : result === 0 ? 'buffered' : 'dropped'
        },
        buffered: () => (open ? ws.getBufferedAmount() : 0),
        close(code, reason) {
          if (open) ws.end(code, reason)
        },
      })
      // The transport's object must not be touched once it is closed.
      data.listener = {
        ...listener,
        closed(code) {
          open = false
          listener.closed(code)
        },
      }
    },
    message: (ws, bytes, binary) => ws.getUserData().listener?.message(new Uint8Array(bytes), binary),
    drain: (ws) => ws.getUserData().listener?.drained(),
    close: (ws, code) => ws.getUserData().listener?.closed(code),
  })

  app.any('/*', (res, req) => {
    const request = copyRequest(res, req)
    options
      .http(request)
      .catch((): HttpResponse => ({ status: 500, headers: {}, body: '' }))
      .then((response) => writeResponse(res, response, request.signal))
      // A response that broke off in the middle can only be cut.
      .catch(() => {
        if (!request.signal.aborted) res.close()
      })
  })

  return new Promise((resolve, reject) => {
    let listening: us_listen_socket | undefined
    const opened = (socket: us_listen_socket | false) => {
      if (!socket) {
        const where = `${options.host}:${options.port}`
        return reject(Object.assign(new Error(`cannot listen on ${where}`), { code: 'EADDRINUSE' }))
      }
      listening = socket
      resolve({
        port: uws.us_socket_local_port(socket),
        stopAccepting() {
          if (listening) uws.us_listen_socket_close(listening)
          listening = undefined
        },
        close: () => app.close(),
      })
    }
    listenExclusively(app, options, opened)
  })
}

type Opened = (socket: us_listen_socket | false) => void

/** The transport's own constant is a type only. By default two processes could share a port without knowing. */
const EXCLUSIVE_PORT = 1

/** The published types know host and options apart only; the function takes both. */
interface ListensExclusively {
  listen(host: string, port: number, options: number, opened: Opened): unknown
}

function listenExclusively(app: TemplatedApp, { host, port }: TransportOptions, opened: Opened): void {
  const exclusive: ListensExclusively = Object.assign(Object.create(app), { listen: app.listen.bind(app) })
  exclusive.listen(host, port, EXCLUSIVE_PORT, opened)
}
