import type { AnswerRef, ChunkOutcome, ClosedAnswer, EndHeader, EventHeader } from '@chatbox/core'
import { loaded, type Stored } from './codec.ts'

/** A chunk, or a segment that took the place of several: the text from index `from` up to `upTo`. */
interface Piece {
  readonly from: number
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
  /** How far segments reach; what follows are single chunks. */
  merged: number
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
  merged: 0,
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
  state.pieces.push({ from: index, upTo: state.next, stored: chunk })
  state.bytes += chunk.body.length
  return 'accepted'
}

export function mergeState(state: AnswerState, attempt: number, segment: Piece, bound: number): boolean {
  if (state.phase !== 'open' || attempt !== state.attempt) return false
  const { from, upTo } = segment
  const first = state.pieces.findIndex((piece) => piece.from === from)
  const last = state.pieces.findIndex((piece) => piece.upTo === upTo)
  if (from > state.merged || first < 0 || last < first) return false
  const replaced = state.pieces.slice(first, last + 1).reduce((sum, piece) => sum + piece.stored.body.length, 0)
  const bytes = state.bytes - replaced + segment.stored.body.length
  if (bytes > bound) return false
  state.pieces.splice(first, last + 1 - first, segment)
  state.merged = Math.max(state.merged, upTo)
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
  dropText(state)
  state.end = end
  state.changedAt = now
  return 'ended'
}

export function closeState(state: AnswerState, now: number, fencedBy?: number): void {
  if (state.phase !== 'closed') state.fencedBy = fencedBy
  state.phase = 'closed'
  state.changedAt = now
}

function dropText(state: AnswerState): void {
  state.pieces = []
  state.merged = 0
  state.next = 0
  state.bytes = 0
}

/** The text goes, what fences it stays. */
export function wipe(state: AnswerState): void {
  dropText(state)
  state.end = undefined
}

export const chunksOf = (state: AnswerState) => state.pieces.map((piece) => loaded(piece.stored))

export const closedAnswerOf = (state: AnswerState): ClosedAnswer => ({
  ref: { ...state.ref },
  attempt: state.attempt,
  chunks: chunksOf(state),
  ...(state.end && { end: loaded(state.end) }),
})
