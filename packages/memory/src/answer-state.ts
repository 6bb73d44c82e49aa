import type { AnswerRef, ChunkOutcome, ClosedAnswer, EndHeader, EventHeader } from '@chatbox/core'
import { loaded, type Stored } from './codec.ts'

/** A chunk, or a segment that took the place of several: the text from the piece before up to index `upTo`. */
interface Piece {
  readonly upTo: number
  readonly stored: Stored<EventHeader>
}

export interface AnswerState {
  readonly ref: AnswerRef
  /**
   * `none`: only a cancel flag. `open`: an attempt is being written. `ended`: the attempt's worker recorded its end; a higher attempt may begin.
   * `closed`: ended from outside, with all its attempts, also those to come.
   */
  phase: 'none' | 'open' | 'ended' | 'closed'
  attempt: number
  cancelled: boolean
  /** The epoch of the fence that closed it. */
  fencedBy: number | undefined
  pieces: Piece[]
  next: number
  bytes: number
  end: Stored<EndHeader> | undefined
  /** The last begin or append. */
  workedAt: number
  /** The last change of phase or flag. */
  changedAt: number
}

export const newAnswer = ({ uid, sid, answerId, seq }: AnswerRef, now: number): AnswerState => ({
  ref: { uid, sid, answerId, seq },
  phase: 'none',
  attempt: 0,
  cancelled: false,
  fencedBy: undefined,
  pieces: [],
  next: 0,
  bytes: 0,
  end: undefined,
  workedAt: now,
  changedAt: now,
})

export function beginState(state: AnswerState, attempt: number, now: number): 'begun' | 'stale' | 'ended' {
  if (state.phase === 'closed') return 'ended'
  if (attempt <= state.attempt) return 'stale'
  wipe(state)
  state.phase = 'open'
  state.attempt = attempt
  state.workedAt = now
  state.changedAt = now
  return 'begun'
}

export function appendState(
  state: AnswerState,
  attempt: number,
  index: number,
  chunk: Stored<EventHeader>,
  bound: number,
): ChunkOutcome {
  if (state.phase === 'closed') return 'ended'
  if (attempt < state.attempt) return 'stale'
  if (attempt > state.attempt || state.phase === 'none') return 'gone'
  if (state.phase === 'ended') return 'ended'
  if (index < state.next) return 'accepted'
  // Chunks before this one were accepted by a store that has forgotten them since.
  if (index > state.next) return 'gone'
  if (state.bytes + chunk.body.length > bound) return 'full'
  state.next += 1
  state.pieces.push({ upTo: state.next, stored: chunk })
  state.bytes += chunk.body.length
  return 'accepted'
}

export function mergeState(
  state: AnswerState,
  attempt: number,
  upTo: number,
  segment: Stored<EventHeader>,
  bound: number,
): boolean {
  if (state.phase !== 'open' || attempt !== state.attempt) return false
  // Pieces after the first are single chunks, so the one that ends at `upTo` is found by counting.
  const last = upTo - (state.pieces[0]?.upTo ?? Number.POSITIVE_INFINITY)
  if (!(last >= 0 && last < state.pieces.length)) return false
  const replaced = state.pieces.slice(0, last + 1).reduce((sum, piece) => sum + piece.stored.body.length, 0)
  const bytes = state.bytes - replaced + segment.body.length
  if (bytes > bound) return false
  state.pieces.splice(0, last + 1, { upTo, stored: segment })
  state.bytes = bytes
  return true
}

export function endState(
  state: AnswerState,
  attempt: number,
  end: Stored<EndHeader>,
  now: number,
): 'ended' | 'stale' | 'gone' {
  if (attempt < state.attempt) return 'stale'
  if (attempt === state.attempt && state.end) return 'ended'
  // Whoever closed it has told its text already; this end is not the answer's any more.
  if (state.phase === 'closed') return 'stale'
  if (attempt > state.attempt || state.phase === 'none') return 'gone'
  state.phase = 'ended'
  state.end = end
  state.changedAt = now
  return 'ended'
}

export function closeState(state: AnswerState, now: number, fencedBy?: number): void {
  if (state.phase !== 'closed') state.fencedBy = fencedBy
  state.phase = 'closed'
  state.changedAt = now
}

/** The text goes, what fences it stays. */
export function wipe(state: AnswerState): void {
  state.pieces = []
  state.next = 0
  state.bytes = 0
  state.end = undefined
}

export const chunksOf = (state: AnswerState) => state.pieces.map((piece) => loaded(piece.stored))

export const closedAnswerOf = (state: AnswerState): ClosedAnswer => ({
  ref: { ...state.ref },
  attempt: state.attempt,
  chunks: chunksOf(state),
  ...(state.end && { end: loaded(state.end) }),
})
