import type { ErrorCode } from '@chatbox/protocol'
import type { RequestId } from '../ids.ts'
import type { Totals } from '../ports/conversations.ts'
import type { Session } from '../session.ts'
import type { Answer, Turn } from '../turn.ts'
import { type AnswerLimits, dueFrom, newAnswer } from './answers.ts'
import { newAnswerId } from './naming.ts'

/** How many answers to one question are kept beside the current one. All of them stand in one row. */
export const MAX_SUPERSEDED = 15

/** Another answer to a question that was answered. */
export interface Regeneration {
  readonly wish: RequestId
  readonly modelId?: string
}

export type RegeneratePlan =
  | { readonly kind: 'supersede'; readonly old: Answer; readonly answer: Answer }
  /** The wish was fulfilled before. */
  | { readonly kind: 'repetition' }
  | { readonly kind: 'refuse'; readonly code: Extract<ErrorCode, 'session_ended' | 'conflict' | 'busy'> }

/** Whether a question gets another answer in the place of the one it has (R19). */
export function planRegenerate(
  session: Session,
  totals: Totals,
  turn: Turn,
  { wish, modelId }: Regeneration,
  now: number,
  limits: AnswerLimits,
): RegeneratePlan {
  const { answer, superseded } = turn
  const answerId = newAnswerId(turn.sid, turn.seq, wish)
  if (answer?.answerId === answerId || superseded.some((old) => old.answerId === answerId)) {
    return { kind: 'repetition' }
  }
  if (session.endTs !== undefined || session.erased) return { kind: 'refuse', code: 'session_ended' }
  if (!answer || answer.status === 'pending' || session.adminAssisted) return { kind: 'refuse', code: 'conflict' }
  if (superseded.length >= MAX_SUPERSEDED) return { kind: 'refuse', code: 'conflict' }
  // One answer of a session runs, and those that wait do so in the order of their questions (R16): this one would be the first of them.
  if (totals.pending.length > 0) return { kind: 'refuse', code: 'busy' }
  return {
    kind: 'supersede',
    old: answer,
    answer: newAnswer(answerId, modelId ?? session.modelId, now, dueFrom(now, limits)),
  }
}
