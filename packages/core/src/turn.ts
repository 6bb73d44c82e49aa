import type { AnswerNotice, AnswerStatus, ErrorCode, FileView, MessageKind, UsageView } from '@chatbox/protocol'
import type { AnswerId, ClientMessageId, SessionId, UserId } from './ids.ts'

/** An answer, inside the turn that asked for it (R2). */
export interface Answer<Text = string> {
  readonly answerId: AnswerId
  readonly status: AnswerStatus
  /** How many times an attempt was begun; 0 while nobody did. The fence of everything about the answer (R12). */
  readonly attempt: number
  /** Attempts that ended by a provider's fault and by an orderly hand-back; the others that did not end were crashes (R13). */
  readonly faults: number
  readonly handbacks: number
  /** Names the job: `answerId-n`. Raised each time it is queued again (R17). */
  readonly n: number
  /** Set when its turn comes: when it must have ended at the latest, in the queue's time (R17). */
  readonly due?: number
  readonly cancelAt?: number
  readonly modelId: string
  readonly askedAt: number
  readonly endedAt?: number
  readonly text?: Text
  /** What the provider calls its own conversation, where it keeps one and this answer ended in it as `done` (decision 13). */
  readonly thread?: Text
  readonly usage?: UsageView
  readonly error?: ErrorCode
  /** What the user is to know of it. */
  readonly notices?: readonly AnswerNotice[]
  readonly feedback?: Feedback<Text>
}

/** What the user thinks of an answer. */
export interface Feedback<Text = string> {
  readonly rating: 'up' | 'down'
  readonly comment?: Text
  readonly ts: number
}

/** What a person or the system said, as one value that is sealed as a whole. */
export interface Content {
  readonly text: string
  readonly files?: readonly FileView[]
  readonly metadata?: Readonly<Record<string, string>>
  /** Display name of a human who helps. */
  readonly name?: string
}

export type Author = 'user' | 'admin' | 'system'

/** One row of a session (R1): `seq` is unique in it, and the next row's is `seq + width`. */
export interface Turn<C = Content, Text = string> {
  readonly sid: SessionId
  readonly seq: number
  /** 2: a question and the slot of its answer. 1: nothing is answered. */
  readonly width: 1 | 2
  readonly partition: number
  readonly author: Author
  /** Who wrote it; with `cmid` unique (R5). */
  readonly authorId: UserId
  readonly cmid?: ClientMessageId
  readonly kind: MessageKind
  /** What a system line says, for machines: `takeover`, `handback`, `ended`, `erased`. */
  readonly event?: string
  readonly content: C
  readonly ts: number
  /**
   * Set by the insert, and by a new answer. Taken away when everything that follows from the turn, and from the end of its answer,
   * is done: announced, queued and projected. Until then a sweeper takes care of it, whatever was lost meanwhile (decision 10).
   */
  readonly unsettled: boolean
  readonly answer?: Answer<Text>
  readonly superseded: readonly Answer<Text>[]
}

/** How an answer ends. */
export interface AnswerEnd<Text = string> {
  readonly status: Exclude<AnswerStatus, 'pending'>
  readonly text: Text
  readonly thread?: Text
  readonly usage?: UsageView
  readonly error?: ErrorCode
  /** The model that answered, where it is not the one that was asked: its provider was away. */
  readonly modelId?: string
  readonly notices?: readonly AnswerNotice[]
  readonly endedAt: number
}
