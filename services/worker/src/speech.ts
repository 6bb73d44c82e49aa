import { MAX_ANSWER_BYTES } from '@chatbox/core'
import type { Answering } from './answering.ts'
import { type Attempt, nextAttempt, openRecord } from './begin.ts'
import { condition } from './condition.ts'
import type { Carried } from './delta-batcher.ts'
import { createDraft, type Draft, type Refused } from './draft.ts'
import { spokenText } from './spoken.ts'
import type { Work } from './work.ts'

/** The text of an answer, from the provider to the store. Outlives the loss of its record. */
export interface Speech {
  /** The one that the text is recorded under at this moment. */
  readonly attempt: Attempt
  /** All that was said, whatever has become of it. */
  readonly said: string
  /** What the store has accepted: what may be stored in the end (R14). */
  readonly accepted: string
  /** The text is as long as it may be, and something was left out. */
  readonly full: boolean
  say(piece: string): void
  /** Resolves when the store is near enough behind for the provider to be read on. */
  room(): Promise<void>
  /** Forgets what the store has not been told yet: what somebody cancelled is what they saw. */
  cut(): void
  /** Resolves when the store has all of it. */
  settle(): Promise<void>
  /** Sends nothing any more. */
  drop(): void
  /** Resolves when no lost record is being written again, so that `attempt` is the last one that was begun. */
  calm(): Promise<void>
}

/** For an attempt whose record is open. */
export function openSpeech(work: Work, answering: Answering, first: Attempt): Speech {
  const { batcher, bounds, log, metrics } = work
  const spoken = spokenText(MAX_ANSWER_BYTES)
  const progress = condition()
  let attempt = first
  let draft: Draft
  let carried: Carried
  let rewriting = false
  let rewrites = 0
  let refusedAsFull = false
  let dropped = false
  /** What lost records had been told of. */
  let toldBefore = 0

  function carry(): void {
    draft = createDraft(attempt.ref, attempt.number, spoken)
    carried = batcher.carry(draft, { accepted: progress.changed, refused })
    if (spoken.units > 0) carried.more('now')
  }

  function refused(why: Refused | 'away'): void {
    switch (why) {
      case 'stale':
      case 'ended':
        return answering.leave('superseded')
      case 'away':
        return answering.leave('store-away')
      case 'full':
        refusedAsFull = true
        spoken.truncate(draft.accepted.length)
        answering.stop('full')
        return progress.changed()
      case 'gone':
        rewriting = true
        toldBefore = Math.max(toldBefore, draft.frozenUnits)
        rewrite().catch((error) => {
          if (answering.left.aborted) return
          log.error({ err: error, answerId: attempt.ref.answerId }, 'a lost record could not be written again')
          answering.leave('superseded')
        })
    }
  }

  /**
   * The store lost the record. It is begun again from this worker's own attempt (R12), under a higher number, with all that was said
   * so far; so the provider needn't be asked, waited for and paid again.
   */
  async function rewrite(): Promise<void> {
    rewrites += 1
    if (rewrites > bounds.maxRewrites) return answering.leave('superseded')
    metrics.rewrites.inc()
    const { sid, answerId } = attempt.ref
    log.warn({ sid, answerId, attempt: attempt.number }, 'the store lost an answer, writing it again')
    const next = await nextAttempt(work, answering, attempt.ref, attempt.number, 'gone')
    if (!next || !(await openRecord(work, answering, next))) return answering.leave('superseded')
    attempt = next
    rewriting = false
    // The flag was lost with the record, but the mark was not.
    if (next.answer.cancelAt !== undefined) answering.stop('cancelled')
    if (!dropped) carry()
    progress.changed()
  }

  carry()
  return {
    get attempt() {
      return attempt
    },
    get said() {
      return spoken.text
    },
    get accepted() {
      return draft.accepted
    },
    get full() {
      return refusedAsFull || spoken.full
    },
    say(piece) {
      if (refusedAsFull) return
      spoken.add(piece)
      carried.more()
      if (spoken.full) answering.stop('full')
    },
    room: () =>
      progress.until(() => (rewriting ? spoken.units : draft.unsentUnits) < bounds.maxUnsentUnits, answering.stopped),
    cut: () => spoken.truncate(Math.max(toldBefore, draft.frozenUnits)),
    settle() {
      spoken.finish()
      carried.more('now')
      return progress.until(() => !rewriting && (dropped || draft.unsentUnits === 0), answering.left)
    },
    drop() {
      dropped = true
      carried.drop()
      progress.changed()
    },
    calm: () => progress.until(() => !rewriting, answering.left),
  }
}
