import { type AnswerRef, type ChunkAppend, type ChunkOutcome, type ChunkPacket, deltaEvent } from '@chatbox/core'
import { type Spoken, unitsWithin } from './spoken.ts'

/** Text of one chunk, at most: what a provider says in one go, or what is said again after a loss, may be much longer. */
const CHUNK_BYTES = 8_192
/** Older chunks are merged once so much was added since the last time (R14). */
const MERGE_UNITS = 4_096

export type Refused = Exclude<ChunkOutcome, 'accepted' | 'unknown'>

export interface Segment {
  readonly upTo: number
  readonly packet: ChunkPacket
}

/** What was said, on its way into the record of one attempt. Knows no clock and no store. */
export interface Draft {
  readonly ref: AnswerRef
  readonly attempt: number
  /** Exactly the chunks that were accepted (R14). */
  readonly accepted: string
  /** UTF-16 units that the store was told, or is being told. */
  readonly frozenUnits: number
  readonly unsentUnits: number
  /** Nothing was frozen yet. */
  readonly fresh: boolean
  /**
   * The chunks to send: those whose outcome is not known, exactly as they were; only when there are none, new ones of
   * everything that was said since (R14).
   */
  freeze(): readonly ChunkAppend[]
  /** Outcomes of the frozen chunks, in order. Gives the first that is not `accepted`; the chunks from there on remain. */
  settle(outcomes: readonly ChunkOutcome[]): Refused | 'unknown' | undefined
  /** Accepted chunks that are worth merging, once. */
  segment(): Segment | undefined
}

interface Frozen {
  readonly append: ChunkAppend
  readonly units: number
}

export function createDraft(ref: AnswerRef, attempt: number, spoken: Spoken): Draft {
  const frozen: Frozen[] = []
  let next = 0
  let frozenUnits = 0
  let acceptedUnits = 0
  let acceptedChunks = 0
  let mergedUnits = 0

  function freezeMore(): void {
    let rest = spoken.from(frozenUnits)
    while (rest !== '') {
      const piece = firstPiece(rest)
      const chunk = deltaEvent(ref, attempt, next, piece)
      frozen.push({ append: { ref, attempt, index: next, chunk }, units: piece.length })
      frozenUnits += piece.length
      next += 1
      rest = rest.slice(piece.length)
    }
  }

  return {
    ref,
    attempt,
    get accepted() {
      return spoken.text.slice(0, acceptedUnits)
    },
    get frozenUnits() {
      return frozenUnits
    },
    get unsentUnits() {
      return spoken.units - acceptedUnits
    },
    get fresh() {
      return next === 0
    },
    freeze() {
      if (frozen.length === 0) freezeMore()
      return frozen.map(({ append }) => append)
    },
    settle(outcomes) {
      for (const outcome of outcomes) {
        if (outcome !== 'accepted') return outcome
        const chunk = frozen.shift()
        acceptedUnits += chunk?.units ?? 0
        acceptedChunks += 1
      }
      return undefined
    },
    segment() {
      if (acceptedUnits - mergedUnits < MERGE_UNITS) return undefined
      mergedUnits = acceptedUnits
      const text = spoken.text.slice(0, acceptedUnits)
      return { upTo: acceptedChunks, packet: deltaEvent(ref, attempt, acceptedChunks - 1, text) }
    },
  }
}

function firstPiece(text: string): string {
  // Half a character at the end counts as three bytes, which there is no room for: it stays with its other half.
  const piece = text.slice(0, CHUNK_BYTES)
  return piece.slice(0, unitsWithin(piece, CHUNK_BYTES))
}
