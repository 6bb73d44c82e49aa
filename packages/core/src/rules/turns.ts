import type { ErrorCode, FileView, MessageKind } from '@chatbox/protocol'
import type { ClientMessageId, UserId } from '../ids.ts'
import type { Totals } from '../ports/conversations.ts'
import type { Session } from '../session.ts'
import type { Author, Content, Turn } from '../turn.ts'
import { type AnswerLimits, dueFrom, MAX_WAITING, newAnswer } from './answers.ts'
import { newAnswerId } from './naming.ts'

/** What somebody wants to say in a session. */
export interface Utterance {
  readonly author: Exclude<Author, 'system'>
  readonly authorId: UserId
  readonly cmid: ClientMessageId
  readonly kind: MessageKind
  readonly content: Content
  readonly modelId?: string
}

export type SendPlan =
  | { readonly kind: 'insert'; readonly turn: Turn; readonly startsNow: boolean }
  | { readonly kind: 'refuse'; readonly code: Extract<ErrorCode, 'session_ended' | 'busy'> }

/** Where the next message of a session goes and whether a model answers it (R1, R16). */
export function planSend(
  session: Session,
  totals: Totals,
  said: Utterance,
  now: number,
  limits: AnswerLimits,
): SendPlan {
  if (session.endTs !== undefined || session.erased) return { kind: 'refuse', code: 'session_ended' }
  const answered = said.author === 'user' && !session.adminAssisted
  if (answered && totals.pending.length > MAX_WAITING) return { kind: 'refuse', code: 'busy' }

  const seq = totals.nextSeq
  // One answer of a session runs; a later one gets its due time when its turn comes (R16, R17).
  const startsNow = answered && totals.pending.length === 0
  const turn: Turn = {
    sid: session.sid,
    seq,
    width: answered ? 2 : 1,
    partition: session.partition,
    author: said.author,
    authorId: said.authorId,
    cmid: said.cmid,
    kind: said.kind,
    content: said.content,
    ts: now,
    unsettled: true,
    superseded: [],
    ...(answered && {
      answer: newAnswer(
        newAnswerId(session.sid, seq, said.cmid),
        said.modelId ?? session.modelId,
        now,
        startsNow ? dueFrom(now, limits) : undefined,
      ),
    }),
  }
  return { kind: 'insert', turn, startsNow }
}

/** The same id with the same body is a repetition; with another one it is a conflict (R5). */
export function sameBody(turn: Pick<Turn, 'kind' | 'content'>, said: Pick<Utterance, 'kind' | 'content'>): boolean {
  return (
    turn.kind === said.kind &&
    turn.content.text === said.content.text &&
    sameFiles(turn.content.files, said.content.files) &&
    sameEntries(turn.content.metadata, said.content.metadata)
  )
}

function sameFiles(a: readonly FileView[] = [], b: readonly FileView[] = []): boolean {
  return (
    a.length === b.length &&
    a.every((file, i) => {
      const other = b[i]
      return (
        other !== undefined &&
        file.fileId === other.fileId &&
        file.url === other.url &&
        file.name === other.name &&
        file.mimeType === other.mimeType &&
        file.size === other.size
      )
    })
  )
}

function sameEntries(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
}

/** A file with an audio type is a voice message (M10). */
export function kindOf(files: readonly FileView[] | undefined): Extract<MessageKind, 'text' | 'file' | 'voice'> {
  if (!files?.length) return 'text'
  return files.some((file) => file.mimeType?.startsWith('audio/')) ? 'voice' : 'file'
}

export const emptyTotals: Totals = { lastSeq: 0, nextSeq: 1, totalTokens: 0, totalCost: 0, pending: [] }

export const withTurn = (totals: Totals, turn: Turn): Totals => ({
  lastSeq: turn.seq,
  nextSeq: turn.seq + turn.width,
  totalTokens: totals.totalTokens,
  totalCost: totals.totalCost,
  pending: turn.answer
    ? [...totals.pending, { sid: turn.sid, seq: turn.seq, answerId: turn.answer.answerId }]
    : totals.pending,
})
