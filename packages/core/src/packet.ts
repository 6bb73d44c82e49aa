import type { CloseReason, ServerFrameType } from '@chatbox/protocol'
import type { AnswerId, ConnectionId, RequestId, SessionId } from './ids.ts'

/**
 * What travels through a port (R26): a header that may be read on the way, and a body that is sealed with the header as
 * additional data. Services see the body open; adapters never do.
 */
export interface Packet<H extends object = object> {
  readonly header: H
  readonly body: Uint8Array
}

export interface Origin {
  readonly connectionId: ConnectionId
  readonly requestId: RequestId
}

/** `logged` stands in the user's log; `delta` may be skipped for a slow device; `signal` is of use now or never. */
export type EventClass = 'logged' | 'delta' | 'signal'

/** Header of what the bus carries; the body is the wire frame, without `at`. */
export interface EventHeader {
  readonly class: EventClass
  readonly type: ServerFrameType
  readonly sid?: SessionId
  readonly answerId?: AnswerId
  readonly attempt?: number
  readonly index?: number
  /** Takeover, end and erasure: nothing of an older epoch may follow (R20, R21). */
  readonly epoch?: number
  /** Who asked for what this event answers, so that its edge can stop waiting. */
  readonly origin?: Origin
  /** Not for this connection, which has it already or caused it. */
  readonly except?: ConnectionId
}

export type EventPacket = Packet<EventHeader>

/** Header of what is sent to one edge, for one of its connections. The body is a frame for the socket, perhaps empty. */
export interface ReplyHeader {
  readonly target: ConnectionId
  readonly type?: ServerFrameType
  /** The request that this ends. */
  readonly requestId?: RequestId
  /** Close the connection after the frame. */
  readonly close?: CloseReason
}

export type ReplyPacket = Packet<ReplyHeader>

/** Header of a chunk or segment of an answer's text; the body is an `answer.delta` frame. */
export type ChunkPacket = Packet<EventHeader>
