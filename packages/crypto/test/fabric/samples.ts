import {
  type AnswerRef,
  answerId,
  type ChunkAppend,
  connectionId,
  deviceId,
  type EndPacket,
  type EntryPacket,
  type EventHeader,
  type EventPacket,
  edgeId,
  type OutcomePacket,
  type Packet,
  type Registration,
  type ReplyPacket,
  requestId,
  sessionId,
  type UserId,
  userId,
} from '@chatbox/core'

export const anna = userId('anna.canary@example.org')
export const berta = userId('berta.canary@example.org')
export const sid = sessionId('session-1')
export const edge = edgeId('edge-1')
export const SECRET = 'canary: what a person said'

export const bytes = (text: string): Uint8Array => Buffer.from(text)
export const textIn = (packet: Pick<Packet, 'body'> | undefined): string | undefined =>
  packet && Buffer.from(packet.body).toString()

export const refOf = (uid: UserId, id = 'answer-1'): AnswerRef => ({ uid, sid, answerId: answerId(id), seq: 2 })

export const event = (body = SECRET, header: Partial<EventHeader> = {}): EventPacket => ({
  header: { class: 'logged', type: 'message', sid, ...header },
  body: bytes(body),
})

export const chunk = (ref: AnswerRef, index: number, body = SECRET, attempt = 1): ChunkAppend => ({
  ref,
  attempt,
  index,
  chunk: event(body, { class: 'delta', type: 'answer.delta', answerId: ref.answerId, attempt, index }),
})

export const end = (ref: AnswerRef, attempt = 1): EndPacket => ({
  header: { answerId: ref.answerId, attempt, class: 'end' },
  body: bytes(SECRET),
})

export const reply = (body = SECRET): ReplyPacket => ({
  header: { target: connectionId('connection-1'), type: 'error', requestId: requestId('request-1') },
  body: bytes(body),
})

export const entry = (id: string, body = SECRET): EntryPacket => ({
  header: { requestId: requestId(id), kind: 'send' },
  body: bytes(body),
})

export const outcome = (id: string): OutcomePacket => ({
  header: { requestId: requestId(id), class: 'outcome' },
  body: bytes(SECRET),
})

export const row = (uid: UserId, connection = 'connection-1'): Registration => ({
  uid,
  connectionId: connectionId(connection),
  deviceId: deviceId(`device of ${connection}`),
  edgeId: edge,
  since: 1,
})
