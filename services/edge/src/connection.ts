import {
  type ConnectionId,
  connectionId,
  type DeviceId,
  type Origin,
  type Position,
  type Refusal,
  type ReplyPacket,
  type RequestId,
  randomId,
  requestId,
  type UserId,
} from '@chatbox/core'
import {
  type ClientDecoder,
  type ClientFrame,
  type CloseReason,
  closeCodes,
  type ErrorCode,
  type ErrorDetails,
  encodeFrame,
  errorFrameOf,
  type ServerFrame,
  UNAUTHENTICATED_FRAME_LIMIT,
} from '@chatbox/protocol'
import type { Identity, Logger } from '@chatbox/runtime'
import type { EdgeContext } from './deps.ts'
import type { Feed, FeedMember } from './feed.ts'
import type { Feeds } from './feeds.ts'
import { flood } from './flood.ts'
import { hello } from './handlers/hello.ts'
import { type Outbox, outbox } from './outbox.ts'
import { readyFrame } from './ready.ts'
import { type Requests, requests } from './requests.ts'
import { route } from './router.ts'
import type { Socket, SocketListener } from './socket.ts'

/** Requests of one connection that may wait at once. */
const MAX_WAITING = 64
const MAX_INVALID = 20
const INVALID_WINDOW_MS = 10_000

/** Who is at the other end, once `hello` was accepted. */
export interface Member {
  identity: Identity
  readonly uid: UserId
  readonly deviceId: DeviceId
  readonly feed: Feed
}

/** One socket, from its upgrade to its end. */
export interface Connection {
  readonly id: ConnectionId
  readonly edge: EdgeContext
  readonly log: Logger
  readonly feeds: Feeds
  readonly out: Outbox
  readonly requests: Requests
  readonly asMember: FeedMember
  /** Where it connects from, for limits (R29). */
  readonly address: string
  /** A token from the upgrade's Authorization header. */
  readonly headerToken: string | undefined
  member: Member | undefined
  readonly closed: boolean
  send(frame: ServerFrame): void
  fail(code: ErrorCode, to: { requestId?: string | undefined }, details?: ErrorDetails): void
  refuse(refusal: Refusal, to: { requestId?: string | undefined }, details?: ErrorDetails): void
  close(reason: CloseReason): void
  /** Closes when the token runs out (X3). */
  expireAt(time: number): void
  originOf(request: RequestId): Origin
}

export interface ConnectionHandle extends SocketListener {
  readonly id: ConnectionId
  readonly connection: Connection
  /** Something for this connection alone: the end of a request, or of the connection. */
  reply(packet: ReplyPacket): void
  /** The edge goes away. */
  reconnect(afterMs: number): void
}

export interface ConnectionParts {
  readonly edge: EdgeContext
  readonly feeds: Feeds
  readonly decode: ClientDecoder
  readonly address: string
  readonly headerToken: string | undefined
  /** Told once, whoever closed. */
  gone(connection: Connection): void
}

export function connect(socket: Socket, parts: ConnectionParts): ConnectionHandle {
  const { edge, feeds, decode } = parts
  const { metrics, times } = edge
  const id = connectionId(randomId())
  const log = edge.log.child({ connectionId: id })
  const tooManyInvalid = flood(MAX_INVALID, INVALID_WINDOW_MS)
  let closed = false
  let greeted = false
  let expiry: NodeJS.Timeout | undefined
  const helloTimer = setTimeout(() => connection.close('hello_timeout'), times.helloMs)

  const out = outbox(socket, edge.outboxLimits, {
    repair: () => asMember.repair(),
    overwhelmed: () => connection.close('slow_consumer'),
  })

  const asMember: FeedMember = {
    deliver(event) {
      const { origin, except } = event.header
      if (origin?.connectionId === id) waiting.settle(origin.requestId)
      if (except === id) return
      metrics.sent.inc()
      out.deliver(event)
    },
    lost(top) {
      // Not caught up yet, and what it caught up from has gone: it begins again.
      if (out.holding) return connection.close('internal')
      metrics.lost.inc({ occasion: 'gap' })
      sayLost(connection, top)
    },
    repair() {
      const feed = connection.member?.feed
      if (!feed || out.holding || closed) return
      out.hold()
      metrics.repairs.inc()
      feed.snapshot().then(
        ({ frames }) => !closed && out.release(frames, () => false),
        (err) => {
          log.warn({ err }, 'no snapshot could be had')
          connection.close('internal')
        },
      )
    },
  }

  const waiting = requests(times.requestMs, MAX_WAITING)

  const connection: Connection = {
    id,
    edge,
    log,
    feeds,
    out,
    requests: waiting,
    asMember,
    address: parts.address,
    headerToken: parts.headerToken,
    member: undefined,
    get closed() {
      return closed
    },
    send(frame) {
      if (closed) return
      metrics.sent.inc()
      out.send(encodeFrame(frame))
    },
    fail(code, to, details = {}) {
      metrics.faults.inc({ code })
      connection.send(errorFrameOf(code, to.requestId ?? randomId(), details))
    },
    refuse(refusal, to, details = {}) {
      connection.fail(refusal.code, to, {
        ...details,
        ...(refusal.field !== undefined && { field: refusal.field }),
        ...(refusal.retryAfterMs !== undefined && { retryAfterMs: refusal.retryAfterMs }),
      })
    },
    close(reason) {
      if (closed) return
      metrics.closed.inc({ reason })
      log.info({ reason }, 'closing a connection')
      const { code } = closeCodes[reason]
      socket.close(code, reason)
      end()
    },
    expireAt(time) {
      clearTimeout(expiry)
      // A timer can't be set further ahead than this; it is set again then.
      const wait = Math.min(time - Date.now(), 2_147_483_647)
      expiry = setTimeout(() => {
        if (Date.now() >= time) connection.close('token_expired')
        else connection.expireAt(time)
      }, wait)
    },
    originOf: (request) => ({ connectionId: id, requestId: request }),
  }

  function end(): void {
    if (closed) return
    closed = true
    clearTimeout(helloTimer)
    clearTimeout(expiry)
    waiting.clear()
    parts.gone(connection)
  }

  function invalid(code: ErrorCode, details: ErrorDetails & { requestId?: string }): void {
    const { requestId: request, ...rest } = details
    connection.fail(code, { requestId: request }, rest)
    if (tooManyInvalid()) connection.close('protocol_error')
  }

  function greet(frame: ClientFrame): void {
    if (frame.type !== 'hello') return connection.close('protocol_error')
    greeted = true
    hello(connection, frame).then(
      () => clearTimeout(helloTimer),
      (err) => {
        log.error({ err }, 'a hello failed')
        connection.close('internal')
      },
    )
  }

  function handle(frame: ClientFrame): void {
    if (frame.type === 'hello' || !connection.member) return connection.close('protocol_error')
    const request = requestId(frame.requestId ?? randomId())
    route(connection, connection.member, frame, request).catch((err) => {
      // A handler that failed harms nothing but its own request (M2).
      log.error({ err, requestId: request, type: frame.type }, 'a handler failed')
      connection.fail('internal', { requestId: request })
    })
  }

  return {
    id,
    connection,
    message(bytes, binary) {
      if (closed) return
      if (!greeted && bytes.byteLength > UNAUTHENTICATED_FRAME_LIMIT) return connection.close('protocol_error')
      if (binary) return invalid('invalid_frame', { message: 'Frames are text.' })
      const decoded = decode(bytes)
      if (!decoded.ok) {
        const { code, field, requestId: request, clientMessageId } = decoded.fault
        log.info({ code, field, length: bytes.byteLength }, 'a frame was refused')
        if (!greeted) return connection.close('protocol_error')
        return invalid(code, {
          ...(field !== undefined && { field }),
          ...(request !== undefined && { requestId: request }),
          ...(clientMessageId !== undefined && { clientMessageId }),
        })
      }
      metrics.received.inc({ type: decoded.frame.type })
      if (greeted) handle(decoded.frame)
      else greet(decoded.frame)
    },
    drained: () => out.drained(),
    closed: () => end(),
    reply({ header, body }) {
      if (header.requestId) waiting.settle(header.requestId)
      if (closed) return
      if (body.byteLength > 0) {
        metrics.sent.inc()
        out.send(body)
      }
      if (header.close) connection.close(header.close)
    },
    reconnect(afterMs) {
      connection.send({ type: 'reconnect', afterMs, reason: 'restart' })
      connection.close('restart')
    },
  }
}

/** Says `ready` again in the midst of a connection: what the client has may have holes (P4). */
function sayLost(connection: Connection, top: Position): void {
  const { member } = connection
  if (member) connection.send(readyFrame(connection, member, { top, recovered: false }))
}
