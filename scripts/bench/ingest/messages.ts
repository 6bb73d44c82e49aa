import {
  type ClientMessageId,
  clientMessageId,
  connectionId,
  edgeId,
  type RequestId,
  type SendEntry,
  type SessionId,
  type UserId,
} from '@chatbox/core'

// What edges put on the ingest log, the same for storage and for what it is compared with.

export const BENCH_EDGE = edgeId('bench')
export const BENCH_CONNECTION = connectionId('bench')

const TEXT = 'The quick brown fox jumps over the lazy dog. '.repeat(5).slice(0, 200)

export interface Message {
  readonly uid: UserId
  readonly sid: SessionId
  readonly cmid: ClientMessageId
  /** The session begins with it. */
  readonly fresh: boolean
}

let made = 0

export const newMessage = (uid: UserId, sid: SessionId, fresh: boolean): Message => ({
  uid,
  sid,
  cmid: clientMessageId(`message-${process.pid}-${++made}`),
  fresh,
})

export const sendEntry = ({ uid, sid, cmid, fresh }: Message, requestId: RequestId): SendEntry => ({
  kind: 'send',
  uid,
  sid,
  requestId,
  replyTo: { edgeId: BENCH_EDGE, connectionId: BENCH_CONNECTION, requestId },
  fresh,
  said: { author: 'user', authorId: uid, cmid, kind: 'text', content: { text: TEXT } },
})
