import { type Conversations, messagesOf, type SessionId, type Turn } from '@chatbox/core'
import type { MessageView } from '@chatbox/protocol'
import type { PageQuery } from './parts.ts'

export interface Page {
  readonly messages: MessageView[]
  readonly more: boolean
}

type Turns = Pick<Conversations, 'turns'>

/** A turn is one message or two, and a page may begin and end in the midst of one. */
export function messagePageOf(turns: Turns, sid: SessionId, { limit, before, after }: PageQuery): Promise<Page> {
  return after === undefined ? backward(turns, sid, before, limit) : forward(turns, sid, after, limit)
}

async function backward(store: Turns, sid: SessionId, before: number | undefined, limit: number): Promise<Page> {
  const turns = await store.turns(sid, {
    limit: limit + 1,
    before: before ?? Number.MAX_SAFE_INTEGER,
    current: true,
  })
  const messages = messagesIn(turns.reverse()).filter((message) => before === undefined || message.seq < before)
  return { messages: messages.slice(-limit), more: messages.length > limit }
}

async function forward(store: Turns, sid: SessionId, after: number, limit: number): Promise<Page> {
  const turns = await store.turns(sid, { limit: limit + 1, after, current: true })
  const messages = messagesIn(turns).filter((message) => message.seq > after)
  return { messages: messages.slice(0, limit), more: messages.length > limit }
}

const messagesIn = (turns: readonly Turn[]): MessageView[] => turns.flatMap(messagesOf)
