import {
  type ConnectionId,
  connectionId,
  type DeviceId,
  Refusal,
  type Registration,
  type ReplyPacket,
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
  type Fault,
  type ServerFrame,
  UNAUTHENTICATED_FRAME_LIMIT,
} from '@chatbox/protocol'
import type { Identity, Logger } from '@chatbox/runtime'
import type { EdgeContext } from './deps.ts'
import type { Feed, FeedMember } from './feed.ts'
import type { Feeds } from './feeds.ts'
import { flood } from './flood.ts'
import { hello } from './handlers/hello.ts'
import type { Outbox } from './outbox.ts'
import { receiving } from './receiving.ts'
import { type Requests, requests } from './requests.ts'
import { detailsOf, type Routed, route } from './router.ts'
import type { Socket, SocketListener } from './socket.ts'

/** Requests of one connection that may wait at once. */
const MAX_WAITING = 64
/** Frames that may wait until `hello` was accepted. */
const MAX_EARLY = 16
const MAX_INVALID = 20
const INVALID_WINDOW_MS = 10_000
/** A timer can't be set further ahead than this. */
const LONGEST_TIMER = 2_147_483_647

/** Who is at the other end, once `hello` was accepted. */
export interface Member {
  identity: Identity
  readonly uid: UserId
  readonly deviceId: DeviceId
  readonly feed: Feed
  /** How it stands in the registry. */
  readonly row: Registration
}

/** Which request an error answers; without one it gets an id of its own. */
interface Answered {
  readonly requestId?: string | undefined
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
  fail(code: ErrorCode, to: Answered, details?: ErrorDetails): void
  refuse(refusal: Refusal, to: Answered, details?: ErrorDetails): void
  close(reason: CloseReason): void
  /** Closes when the token runs out (X3). */
  expireAt(time: number): void
  /** Work that nobody waits for but a stop; its failure is logged. */
  background(work: Promise<unknown>, failure: string): void
}

export interface ConnectionHandle extends SocketListener {
  readonly connection: Connection
  /** Something for this connection alone: the end of a request, or of the connection. */
  reply(packet: ReplyPacket): void
  /** Bytes that the peer has not taken yet. */
  buffered(): number
}

export interface ConnectionParts {
  readonly edge: EdgeContext
  readonly feeds: Feeds
  readonly decode: ClientDecoder
  readonly address: string
  readonly headerToken: string | undefined
  /** It has said who it is, or has gone; may be told twice. */
  known(): void
  /** Told once, whoever closed. */
  gone(connection: Connection): void
  background(work: Promise<unknown>, failed: (error: unknown) => void): void
}

/** `greeting`: a hello is being looked at. */
type Phase = 'new' | 'greeting' | 'open' | 'closed'

export function connect(socket: Socket, parts: ConnectionParts): ConnectionHandle {
  const { edge, feeds, decode } = parts
  const { metrics, times } = edge
  const id = connectionId(randomId())
  const log = edge.log.child({ connectionId: id })
  const tooManyInvalid = flood(MAX_INVALID, INVALID_WINDOW_MS)
  const waiting = requests(times.requestMs, MAX_WAITING)
  let phase: Phase = 'new'
  let early: Routed[] = []
  let expiry: NodeJS.Timeout | undefined
  const helloTimer = setTimeout(() => connection.close('hello_timeout'), times.helloMs)

  const { out, asMember } = receiving(socket, {
    id,
    edge,
    log,
    requests: waiting,
    get member() {
      return connection.member
    },
    close: (reason) => connection.close(reason),
  })

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
      return phase === 'closed'
    },
    send(frame) {
      if (phase !== 'closed') out.send(encodeFrame(frame))
    },
    fail(code, to, details = {}) {
      if (phase === 'closed') return
      metrics.faults.inc({ code })
      connection.send(errorFrameOf(code, to.requestId ?? randomId(), details))
    },
    refuse({ code, field, retryAfterMs }, to, details = {}) {
      connection.fail(code, to, {
        ...details,
        ...(field !== undefined && { field }),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      })
    },
    close(reason) {
      if (phase === 'closed') return
      metrics.closed.inc({ reason })
      log.info({ reason }, 'closing a connection')
      socket.close(closeCodes[reason].code, reason)
      end()
    },
    expireAt(time) {
      clearTimeout(expiry)
      if (phase === 'closed') return
      expiry = setTimeout(
        () => {
          if (Date.now() >= time) connection.close('token_expired')
          else connection.expireAt(time)
        },
        Math.min(time - Date.now(), LONGEST_TIMER),
      )
    },
    background: (work, failure) => parts.background(work, (err) => log.warn({ err }, failure)),
  }

  function end(): void {
    if (phase === 'closed') return
    phase = 'closed'
    early = []
    clearTimeout(helloTimer)
    clearTimeout(expiry)
    waiting.clear()
    out.close()
    parts.known()
    parts.gone(connection)
  }

  function invalid(fault: Omit<Fault, 'message'>): void {
    const { code, requestId: request, field, clientMessageId } = fault
    connection.fail(
      code,
      { requestId: request },
      { ...(field !== undefined && { field }), ...(clientMessageId !== undefined && { clientMessageId }) },
    )
    // Who has not even said hello gets no second try.
    if (phase === 'new' || tooManyInvalid()) connection.close('protocol_error')
  }

  function greet(frame: ClientFrame): void {
    if (frame.type !== 'hello') return connection.close('protocol_error')
    phase = 'greeting'
    hello(connection, frame).then(welcome, (err) => {
      if (phase === 'closed') log.info({ err }, 'a hello failed after its connection had ended')
      else log.error({ err }, 'a hello failed')
      connection.close('internal')
    })
  }

  function welcome(): void {
    if (phase === 'closed') return
    phase = 'open'
    clearTimeout(helloTimer)
    parts.known()
    for (const frame of early) handle(frame)
    early = []
  }

  function handle(frame: Routed): void {
    const { member } = connection
    if (!member) return
    const request = requestId(frame.requestId ?? randomId())
    route(connection, member, frame, request).catch((err) => {
      if (err instanceof Refusal) return connection.refuse(err, { requestId: request }, detailsOf(frame))
      // A handler that failed harms nothing but its own request (M2).
      log.error({ err, requestId: request, type: frame.type }, 'a handler failed')
      connection.fail('internal', { requestId: request }, detailsOf(frame))
    })
  }

  return {
    connection,
    message(bytes, binary) {
      if (phase === 'closed') return
      if (phase !== 'open' && bytes.byteLength > UNAUTHENTICATED_FRAME_LIMIT) return connection.close('protocol_error')
      if (binary) return invalid({ code: 'invalid_frame' })
      const decoded = decode(bytes)
      if (!decoded.ok) {
        const { code, field } = decoded.fault
        log.info({ code, field, length: bytes.byteLength }, 'a frame was refused')
        return invalid(decoded.fault)
      }
      const { frame } = decoded
      metrics.received.inc({ type: frame.type })
      if (phase === 'new') greet(frame)
      else if (frame.type === 'hello') connection.close('protocol_error')
      else if (phase === 'open') handle(frame)
      else if (early.push(frame) > MAX_EARLY) connection.close('protocol_error')
    },
    drained: () => out.drained(),
    closed: () => end(),
    reply({ header, body }) {
      if (phase === 'closed') return
      if (header.requestId) waiting.settle(header.requestId)
      if (body.byteLength > 0) out.send(body)
      if (header.close) connection.close(header.close)
    },
    buffered: () => socket.buffered(),
  }
}
