import type { AnswerState, ChatErrorShape, ChatState } from '@chatbox/client'
import type { FileView, ModelView, SessionView, SpokenView } from '@chatbox/protocol'

/** An answer as it is shown: what history, events and the question's reference say of it, merged. */
export interface AnswerEntry extends Omit<AnswerState, 'attempt'> {
  readonly author: 'assistant'
  /** 0 where only history or the question told of it. */
  readonly attempt: number
}

export type Entry = SpokenView | AnswerEntry

export type Failure = Pick<ChatErrorShape, 'message' | 'retryable'> & { readonly code: string }

/** A message that the server has not accepted (yet). */
export interface Outgoing {
  readonly clientMessageId: string
  readonly sid?: string
  /** The key of the new chat that it begins or waits for. */
  readonly newChat?: string
  readonly text: string
  readonly files?: readonly FileView[]
  readonly modelId?: string
  /** Set when sending it again won't help by itself. */
  readonly failure?: Failure
}

/** The conversation on the screen. */
export interface Open {
  /** Stays when a new chat gets its id. */
  readonly key: string
  /** Absent in a new chat whose first message was not accepted yet. */
  readonly sid?: string
  readonly status: 'loading' | 'ready' | 'failed' | 'missing'
  /** By rising `seq`, without gaps. */
  readonly entries: readonly Entry[]
  /** There are older ones than the first entry. */
  readonly more: boolean
  readonly older: 'idle' | 'loading' | 'failed'
}

export interface Sessions {
  readonly status: 'loading' | 'ready' | 'failed'
  /** The latest activity first. */
  readonly items: readonly SessionView[]
  readonly cursor?: string
}

export interface Model {
  /** Known once the server has said it. */
  readonly userId?: string
  readonly connection: ChatState
  readonly models: readonly ModelView[]
  readonly sessions: Sessions
  readonly open: Open
  readonly outbox: readonly Outgoing[]
  /** What a message may have at most, in bytes; known once the server has said it. */
  readonly textLimit?: number
  /** The model chosen for a chat that does not exist yet. */
  readonly newModelId?: string
  /** One sentence that the user should see, until it is dismissed. */
  readonly note?: string
}

export const isAnswer = (entry: Entry): entry is AnswerEntry => entry.author === 'assistant'

export const isPending = (entry: Entry): entry is AnswerEntry => isAnswer(entry) && entry.status === 'pending'

/** The answer that is being written, or the one that will be next. */
export const answering = (open: Open): AnswerEntry | undefined => open.entries.find(isPending)

export const sessionOf = (model: Model, sid: string | undefined): SessionView | undefined =>
  sid === undefined ? undefined : model.sessions.items.find((session) => session.id === sid)

/** What was not accepted yet of this conversation, in the order of its sending. */
export const outgoingOf = (model: Model): readonly Outgoing[] =>
  model.outbox.filter(({ sid, newChat }) => (sid === undefined ? newChat === model.open.key : sid === model.open.sid))

/** A count of messages is the last `seq`, because there are no gaps. */
export const isUnread = (session: SessionView): boolean => session.messageCount > session.readSeq

/** How far the user has read when looking at this: up to the first answer that is not finished. */
export function readUpTo(open: Open): number {
  const pending = open.entries.findIndex(isPending)
  return (pending === -1 ? open.entries.at(-1) : open.entries[pending - 1])?.seq ?? 0
}
