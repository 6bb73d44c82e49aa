import { randomUUID } from 'node:crypto'
import { type AnswerRef, answerId, type ChunkPacket, type EndPacket, sessionId, userId } from '@chatbox/core'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = ({ body }: { readonly body: Uint8Array }): string => Buffer.from(body).toString('utf8')

export const someSession = () => sessionId(randomUUID())
export const someAnswer = (of: Partial<AnswerRef> = {}): AnswerRef => ({
  uid: userId(`${randomUUID()}{x}@example.org`),
  sid: someSession(),
  answerId: answerId(randomUUID()),
  seq: 2,
  ...of,
})

export const chunkPacket = (
  { sid, answerId }: AnswerRef,
  attempt: number,
  index: number,
  body: string,
): ChunkPacket => ({
  header: { class: 'delta', type: 'answer.delta', sid, answerId, attempt, index },
  body: bytes(body),
})

export const endPacket = ({ answerId }: AnswerRef, attempt: number): EndPacket => ({
  header: { answerId, attempt, class: 'end' },
  body: bytes('the end'),
})
