import { type AnswerRef, type ChunkAppend, type ChunkOutcome, type ChunkPacket, deltaEvent } from '@chatbox/core'
import { type Spoken, unitsWithin } from './spoken.ts'

/** Text of one chunk, at most: what a provider says in one go, or what is said again after a loss, may be much longer. */
const CHUNK_BYTES = 8_192
/** Accepted chunks make a segment of at least so many bytes, and of no more than the other where they are short enough (R14). */
const SEGMENT_BYTES = { least: 4_096, most: 8_192 }
/** So many chunks make one as well, however short: the store counts what is around each, some 200 bytes, and has its bound too. */
const SEGMENT_CHUNKS = 256

export type Refused = Exclude<ChunkOutcome, 'accepted' | 'unknown'>

/** The text of the chunks from one index up to another. */
export interface Segment {
  readonly from: number
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
  /** The oldest accepted chunks that make a segment, until they are said to be merged. */
  segment(): Segment | undefined
  merged(segment: Segment): void
}

interface Length {
  readonly units: number
  readonly bytes: number
}

interface Frozen extends Length {
  readonly append: ChunkAppend
}

export function createDraft(ref: AnswerRef, attempt: number, spoken: Spoken): Draft {
  const frozen: Frozen[] = []
  let next = 0
  let frozenUnits = 0
  let acceptedUnits = 0
  /** Those that are in no segment yet, and how much is in segments. */
  let single: Length[] = []
  let singleBytes = 0
  let merged = { chunks: 0, units: 0 }

  function freezeMore(): void {
    let rest = spoken.from(frozenUnits)
    while (rest !== '') {
      const piece = firstPiece(rest)
      const chunk = deltaEvent(ref, attempt, next, piece)
      const append = { ref, attempt, index: next, chunk }
      frozen.push({ append, units: piece.length, bytes: Buffer.byteLength(piece) })
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
        const { units, bytes } = frozen.shift() ?? { units: 0, bytes: 0 }
        acceptedUnits += units
        single.push({ units, bytes })
        singleBytes += bytes
      }
      return undefined
    },
    segment() {
      if (singleBytes < SEGMENT_BYTES.least && single.length < SEGMENT_CHUNKS) return undefined
      const { chunks, units } = firstSegment(single)
      const upTo = merged.chunks + chunks
      const text = spoken.text.slice(merged.units, merged.units + units)
      return { from: merged.chunks, upTo, packet: deltaEvent(ref, attempt, upTo - 1, text) }
    },
    merged({ from, upTo }) {
      for (const { units, bytes } of single.slice(0, upTo - from)) {
        merged = { chunks: merged.chunks + 1, units: merged.units + units }
        singleBytes -= bytes
      }
      single = single.slice(upTo - from)
    },
  }
}

/** Of chunks that are enough for one. */
function firstSegment(single: readonly Length[]): { chunks: number; units: number } {
  let [chunks, units, bytes] = [0, 0, 0]
  for (const chunk of single) {
    if (bytes >= SEGMENT_BYTES.least || chunks === SEGMENT_CHUNKS) break
    if (chunks > 0 && bytes + chunk.bytes > SEGMENT_BYTES.most) break
    chunks += 1
    units += chunk.units
    bytes += chunk.bytes
  }
  return { chunks, units }
}

function firstPiece(text: string): string {
  // Half a character at the end counts as three bytes, which there is no room for: it stays with its other half.
  const piece = text.slice(0, CHUNK_BYTES)
  return piece.slice(0, unitsWithin(piece, CHUNK_BYTES))
}
