import { randomUUID } from 'node:crypto'
import {
  type AnswerRef,
  answerId,
  type ChunkAppend,
  type ChunkPacket,
  type EndPacket,
  type EventHeader,
  type EventPacket,
  type Packet,
  sessionId,
  type UserId,
  userId,
} from '@chatbox/core'

const utf8 = new TextEncoder()

export const bytes = (text: string): Uint8Array => utf8.encode(text)
/** Whatever kind of byte array an adapter gives. */
export const text = (packet: Pick<Packet, 'body'>): string => Buffer.from(packet.body).toString('utf8')
export const texts = (packets: readonly Pick<Packet, 'body'>[]): string[] => packets.map(text)

const unique = (): string => randomUUID().slice(0, 13)

// An address with a brace: what a user id may be, and what a key made of it must survive (R27).
export const someUser = (): UserId => userId(`${unique()}{x}@example.org`)
export const someSession = () => sessionId(`s-${unique()}`)
export const someAnswerId = () => answerId(`a-${unique()}`)

export function someAnswer(of: Partial<AnswerRef> = {}): AnswerRef {
  return { uid: someUser(), sid: someSession(), answerId: someAnswerId(), seq: 2, ...of }
}

export const logged = (body: string, header: Partial<EventHeader> = {}): EventPacket => ({
  header: { class: 'logged', type: 'message', ...header },
  body: bytes(body),
})

export const signal = (body: string, header: Partial<EventHeader> = {}): EventPacket => ({
  header: { class: 'signal', type: 'typing', ...header },
  body: bytes(body),
})

export const announcement = (ref: AnswerRef, attempt: number): EventPacket =>
  logged(`started ${attempt}`, { type: 'answer.started', sid: ref.sid, answerId: ref.answerId, attempt })

export const chunkPacket = (ref: AnswerRef, attempt: number, index: number, body: string): ChunkPacket => ({
  header: { class: 'delta', type: 'answer.delta', sid: ref.sid, answerId: ref.answerId, attempt, index },
  body: bytes(body),
})

export const chunk = (ref: AnswerRef, attempt: number, index: number, body: string): ChunkAppend => ({
  ref,
  attempt,
  index,
  chunk: chunkPacket(ref, attempt, index, body),
})

export const endPacket = (ref: AnswerRef, attempt: number, body = 'the end'): EndPacket => ({
  header: { answerId: ref.answerId, attempt, class: 'end' },
  body: bytes(body),
})
