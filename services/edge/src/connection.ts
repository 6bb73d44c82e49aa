import {
  type ConnectionId,
  connectionId,
  type DeviceId,
  Refusal,
  type Registration,
  type ReplyPacket,
  randomId,
  requestId,
  Unavailable,
  type UserId,
} from '@chatbox/core'
import {
  type ClientDecoder,
  type ClientFrame,
  type ClientFrameOf,
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
import type { Refreshes } from './handlers/refresh.ts'
import { spendHandshake } from './handlers/spend.ts'
import { typing } from './handlers/typing.ts'
import { type Latest, latest } from './latest.ts'
import type { Outbox } from './outbox.ts'
import { type Receiving, receiving } from './receiving.ts'
import { type Requests, requests } from './requests.ts'
import { detailsOf, type Routed, route } from './router.ts'
import type { Socket, SocketListener } from './socket.ts'

/** Requests of one connection that may wait at once. */
const MAX_WAITING = 64
/** Of the time that whoever asks waits at most. The rest is for the word to get there, and for an edge that has much to do. */
const TOLD_AFTER = 0.95

/** Frames that may wait until `hello` was accepted. */
const MAX_EARLY = 16
const MAX_INVALID = 20
const INVALID_WINDOW_MS = 10_000
/** What a peer that never said hello may be closed for, through its own fault. */
const OF_ITS_OWN_DOING: ReadonlySet<CloseReason> = new Set(['hello_timeout', 'protocol_error'])
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
  /** Made with the first `auth.refresh`. */
  refreshes?: Refreshes
}

/** Which request an error answers; without one it gets an id of its own. */
interface Answered {
  readonly requestId?: string | undefined
}

/** What is the same for every connection of an edge. */
export interface Surroundings {
  readonly edge: EdgeContext
  readonly feeds: Feeds
  readonly decode: ClientDecoder
  /** Told once, whoever closed. */
  gone(connection: Connection): void
  background(work: Promise<unknown>, failed: (error: unknown) => void): void
}

/** What was known before there was a socket. */
export interface Arrival {
  readonly address: string
  /** A token from the upgrade's Authorization header. */
  readonly headerToken: string | undefined
  /** To be called when it has said who it is, or has gone; may be called twice. */
  readonly known: () => void
}

/** `greeting`: a hello is being looked at. */
type Phase = 'new' | 'greeting' | 'open' | 'closed'

export type { Connection }

export const connect = (socket: Socket, around: Surroundings, arrival: Arrival): Connection =>
  new Connection(socket, around, arrival)

/**
 * One socket, from its upgrade to its end. A class, because there are ten thousand of them: what they can do is there once, and what
 * most of them never need is made when it is needed.
 */
class Connection implements SocketListener {
  readonly id: ConnectionId = connectionId(randomId())
  readonly edge: EdgeContext
  readonly feeds: Feeds
  readonly log: Logger
  readonly requests: Requests
  /** Where it connects from, for limits (R29). */
  readonly address: string
  member: Member | undefined
  readonly #around: Surroundings
  readonly #socket: Socket
  readonly #receiving: Receiving
  /** Nobody needs it any more once the connection is open. */
  #arrival: Arrival | undefined
  #phase: Phase = 'new'
  #early: Routed[] | undefined
  /** For `hello` to be accepted, then for the token to run out. */
  #timer: NodeJS.Timeout
  #tooManyInvalid: (() => boolean) | undefined
  #typing: Latest<ClientFrameOf<'typing'>> | undefined

  constructor(socket: Socket, around: Surroundings, arrival: Arrival) {
    const { edge, feeds } = around
    this.edge = edge
    this.feeds = feeds
    this.log = edge.log.child({ connectionId: this.id })
    this.requests = requests(edge.times.requestMs * TOLD_AFTER, MAX_WAITING)
    this.address = arrival.address
    this.#around = around
    this.#socket = socket
    this.#receiving = receiving(socket, this)
    this.#arrival = arrival
    this.#timer = setTimeout(() => this.#tooLate(), edge.times.helloMs)
  }

  get out(): Outbox {
    return this.#receiving.out
  }

  get asMember(): FeedMember {
    return this.#receiving
  }

  get ended(): boolean {
    return this.#phase === 'closed'
  }

  get headerToken(): string | undefined {
    return this.#arrival?.headerToken
  }

  send(frame: ServerFrame): void {
    if (!this.ended) this.out.send(encodeFrame(frame))
  }

  fail(code: ErrorCode, to: Answered, details: ErrorDetails = {}): void {
    if (this.ended) return
    this.edge.metrics.faults.inc({ code })
    this.send(errorFrameOf(code, to.requestId ?? randomId(), details))
  }

  refuse({ code, field, retryAfterMs }: Refusal, to: Answered, details: ErrorDetails = {}): void {
    this.fail(code, to, {
      ...details,
      ...(field !== undefined && { field }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
  }

  close(reason: CloseReason): void {
    if (this.ended) return
    this.edge.metrics.closed.inc({ reason })
    this.log.info({ reason }, 'closing a connection')
    // Before the socket, whose end is told at once, and would pass for the peer's.
    this.#end(OF_ITS_OWN_DOING.has(reason))
    this.#socket.close(closeCodes[reason].code, reason)
  }

  /** Nobody is told anything more, and no other way in is left (R23). */
  closeIfDisabled(): void {
    if (!this.member || !this.edge.disabled.has(this.member.uid)) return
    this.fail('disabled', {})
    this.close('disabled')
  }

  /** Closes when the token runs out (X3). */
  expireAt(time: number): void {
    clearTimeout(this.#timer)
    if (this.ended) return
    const expire = () => {
      if (Date.now() >= time) this.close('token_expired')
      else this.expireAt(time)
    }
    this.#timer = setTimeout(expire, Math.min(time - Date.now(), LONGEST_TIMER))
  }

  /** Tells the user's other devices, now and then however often it is said. */
  type(frame: ClientFrameOf<'typing'>): void {
    const { times, metrics } = this.edge
    this.#typing ??= latest(
      times.typingMs,
      (said) => typing(this, said),
      () => metrics.passedOver.inc({ type: 'typing' }),
    )
    this.#typing.put(frame)
  }

  /** Work that nobody waits for but a stop; its failure is logged. */
  background(work: Promise<unknown>, failure: string): void {
    this.#around.background(work, (err) => this.log.warn({ err }, failure))
  }

  message(bytes: Uint8Array, binary: boolean): void {
    if (this.ended) return
    if (this.#phase !== 'open' && bytes.byteLength > UNAUTHENTICATED_FRAME_LIMIT) return this.close('protocol_error')
    if (binary) return this.#invalid({ code: 'invalid_frame' })
    const decoded = this.#around.decode(bytes)
    if (!decoded.ok) {
      const { code, field } = decoded.fault
      this.log.info({ code, field, length: bytes.byteLength }, 'a frame was refused')
      return this.#invalid(decoded.fault)
    }
    const { frame } = decoded
    this.edge.metrics.received.inc({ type: frame.type })
    if (this.#phase === 'new') this.#greet(frame)
    else if (frame.type === 'hello') this.close('protocol_error')
    else if (this.#phase === 'open') this.#handle(frame)
    else this.#wait(frame)
  }

  drained(): void {
    this.out.drained()
  }

  closed(code: number): void {
    if (!this.ended) this.edge.metrics.left.inc({ how: code === closeCodes.abnormal.code ? 'cut' : 'closed' })
    this.#end(true)
  }

  /** Something for this connection alone: the end of a request, or of the connection. */
  reply({ header, body }: ReplyPacket): void {
    if (this.ended) return
    if (header.requestId) this.requests.settle(header.requestId)
    if (body.byteLength > 0) this.out.send(body)
    if (header.close) this.close(header.close)
  }

  /** It has been answered all that it asked, and has taken all that it was sent. */
  get idle(): boolean {
    return this.requests.size === 0 && this.#socket.buffered() === 0
  }

  /** `byPeer`: it left, or was closed for what it did or did not do. */
  #end(byPeer: boolean): void {
    if (this.ended) return
    const silent = byPeer && this.#phase === 'new'
    this.#phase = 'closed'
    this.#early = undefined
    clearTimeout(this.#timer)
    this.requests.clear()
    this.#typing?.end()
    this.out.close()
    this.#arrival?.known()
    this.#around.gone(this)
    if (silent) this.background(spendHandshake(this, 'silent'), 'a stranger could not be counted')
  }

  #invalid(fault: Omit<Fault, 'message'>): void {
    const { code, requestId: request, field, clientMessageId } = fault
    this.fail(
      code,
      { requestId: request },
      { ...(field !== undefined && { field }), ...(clientMessageId !== undefined && { clientMessageId }) },
    )
    this.#tooManyInvalid ??= flood(MAX_INVALID, INVALID_WINDOW_MS)
    // Who has not even said hello gets no second try.
    if (this.#phase === 'new' || this.#tooManyInvalid()) this.close('protocol_error')
  }

  /** A hello that came in time and was not accepted in time is our delay, and no fault of the peer (P8). */
  #tooLate(): void {
    if (this.#phase !== 'greeting') return this.close('hello_timeout')
    this.fail('unavailable', {})
    this.close('try_again')
  }

  #greet(frame: ClientFrame): void {
    if (frame.type !== 'hello') return this.close('protocol_error')
    this.#phase = 'greeting'
    hello(this, frame).then(
      () => this.#welcome(),
      (err) => {
        if (this.ended) this.log.info({ err }, 'a hello failed after its connection had ended')
        else this.log.error({ err }, 'a hello failed')
        this.fail(err instanceof Unavailable ? 'unavailable' : 'internal', frame)
        this.close(err instanceof Unavailable ? 'try_again' : 'internal')
      },
    )
  }

  #wait(frame: Routed): void {
    this.#early ??= []
    if (this.#early.push(frame) > MAX_EARLY) this.close('protocol_error')
  }

  #welcome(): void {
    if (this.ended) return
    this.#phase = 'open'
    this.#arrival?.known()
    this.#arrival = undefined
    if (this.member) this.expireAt(this.member.identity.expiresAt)
    for (const frame of this.#early ?? []) this.#handle(frame)
    this.#early = undefined
  }

  #handle(frame: Routed): void {
    const { member } = this
    if (!member) return
    const request = requestId(frame.requestId ?? randomId())
    route(this, member, frame, request).catch((err) => {
      if (err instanceof Refusal) return this.refuse(err, { requestId: request }, detailsOf(frame))
      if (err instanceof Unavailable) {
        this.log.warn({ err, requestId: request, type: frame.type }, 'a store is away')
        return this.fail('unavailable', { requestId: request }, detailsOf(frame))
      }
      // A handler that failed harms nothing but its own request (M2).
      this.log.error({ err, requestId: request, type: frame.type }, 'a handler failed')
      this.fail('internal', { requestId: request }, detailsOf(frame))
    })
  }
}
