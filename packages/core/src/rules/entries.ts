import type { ErrorCode } from '@chatbox/protocol'
import type { AnswerId, EdgeId, RequestId, SessionId, UserId } from '../ids.ts'
import type { Origin } from '../packet.ts'
import type { EntryPacket, OutcomePacket } from '../ports/ingest.ts'
import type { Share } from '../session.ts'
import type { AnswerEnd, Feedback } from '../turn.ts'
import type { Utterance } from './turns.ts'

/** Whom to tell how a request went. */
export interface ReplyTo extends Origin {
  readonly edgeId: EdgeId
}

interface UserRequest {
  /** Whose it is; the partition is that of this user. */
  readonly uid: UserId
  readonly requestId: RequestId
  readonly replyTo?: ReplyTo
}

interface Request extends UserRequest {
  readonly sid: SessionId
}

export interface SendEntry extends Request {
  readonly kind: 'send'
  /** The edge made the session's id for this message; storage makes it real (R10). */
  readonly fresh: boolean
  readonly said: Utterance
}

export interface CancelEntry extends Request {
  readonly kind: 'answer.cancel'
  readonly answerId: AnswerId
}

export interface RegenerateEntry extends Request {
  readonly kind: 'answer.regenerate'
  /** Of the question. */
  readonly seq: number
  readonly modelId?: string
  /** The id that the client gave its wish: the same for every repetition, so that the new answer's id is (R12). */
  readonly wish: RequestId
}

export interface ModelEntry extends Request {
  readonly kind: 'session.model'
  readonly modelId: string
}

export interface ReadEntry extends Request {
  readonly kind: 'session.read'
  readonly seq: number
}

export interface EndSessionEntry extends Request {
  readonly kind: 'session.end'
}

export interface RenameEntry extends Request {
  readonly kind: 'session.rename'
  readonly name: string
}

/** Gives out a link, or takes it back. Only the hash of what the link holds is told to anybody. */
export interface ShareEntry extends Request {
  readonly kind: 'session.share'
  readonly share: Share | null
}

export interface EraseSessionEntry extends Request {
  readonly kind: 'session.erase'
}

export interface EraseUserEntry extends UserRequest {
  readonly kind: 'user.erase'
}

export interface FeedbackEntry extends Request {
  readonly kind: 'answer.feedback'
  readonly answerId: AnswerId
  /** `null` takes back what was said before. */
  readonly feedback: Pick<Feedback, 'rating' | 'comment'> | null
}

export interface AnswerEndEntry extends Request {
  readonly kind: 'answer.end'
  readonly answerId: AnswerId
  readonly attempt: number
  readonly end: AnswerEnd
}

/** A worker that stops gives its answer back; a planned restart never fails an answer (R13). */
export interface HandbackEntry extends Request {
  readonly kind: 'answer.handback'
  readonly answerId: AnswerId
  readonly attempt: number
}

/** Everything that changes a conversation, in the order of its partition (R6). */
export type EntryBody =
  | SendEntry
  | CancelEntry
  | RegenerateEntry
  | ModelEntry
  | ReadEntry
  | EndSessionEntry
  | RenameEntry
  | ShareEntry
  | EraseSessionEntry
  | EraseUserEntry
  | FeedbackEntry
  | AnswerEndEntry
  | HandbackEntry

export type EntryKind = EntryBody['kind']
export type EntryOf<K extends EntryKind> = Extract<EntryBody, { kind: K }>

/** How long somebody who asked waits at most; afterwards it must not happen any more (R9, P8). */
export const REQUEST_TTL_MS = 5_000

const utf8 = new TextEncoder()

export const encodeEntry = (entry: EntryBody): EntryPacket => ({
  header: { requestId: entry.requestId, kind: entry.kind },
  body: utf8.encode(JSON.stringify(entry)),
})

/** Entries are written by this system alone, under seal; so the kind of the header is enough to trust the body. */
export const decodeEntry = (packet: EntryPacket): EntryBody =>
  JSON.parse(Buffer.from(packet.body).toString('utf8')) as EntryBody

/** What became of a request, kept for those who ask again (R9). */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly code: ErrorCode }

export const encodeOutcome = (requestId: RequestId, outcome: Outcome): OutcomePacket => ({
  header: { requestId, class: 'outcome' },
  body: utf8.encode(JSON.stringify(outcome)),
})

export const decodeOutcome = (packet: OutcomePacket): Outcome =>
  JSON.parse(Buffer.from(packet.body).toString('utf8')) as Outcome
