import { type Answers, type ChunkAppend, type ChunkOutcome, Unavailable } from '@chatbox/core'
import type { Logger } from '@chatbox/runtime'
import type { WorkerTimes } from './deps.ts'
import type { Draft, Refused } from './draft.ts'
import type { WorkerMetrics } from './metrics.ts'
import { storeBackoff } from './work.ts'

export interface DraftListener {
  /** The store has taken more of it. */
  accepted(): void
  /** Told once; nothing of this draft is sent any more. `away`: the store was not heard of for too long. */
  refused(why: Refused | 'away'): void
}

export interface Carried {
  /** There is more to send. `now`: it does not wait for the tick. */
  more(urgency?: 'now'): void
  drop(): void
}

/** Takes what all answers of a worker say to the store, one call for all of them per tick (R15). */
export interface DeltaBatcher {
  carry(draft: Draft, listener: DraftListener): Carried
  stop(): void
}

interface Parcel {
  readonly draft: Draft
  readonly listener: DraftListener
  /** At most one call at a time has chunks of a draft, so that they arrive in order. */
  sending: boolean
  dropped: boolean
  merging: boolean
  /** Since when no call with its chunks was answered. */
  awaySince: number | undefined
}

export interface BatcherOptions {
  readonly answers: Pick<Answers, 'append' | 'merge'>
  readonly times: Pick<WorkerTimes, 'tickMs' | 'maxTickMs' | 'awayMs'>
  readonly log: Logger
  readonly metrics: Pick<WorkerMetrics, 'chunks' | 'append'>
}

export function deltaBatcher({ answers, times, log, metrics }: BatcherOptions): DeltaBatcher {
  const waiting = new Set<Parcel>()
  const urgent = new Set<Parcel>()
  let tick: NodeJS.Timeout | undefined
  let soon: NodeJS.Immediate | undefined
  let lastTick = Number.NEGATIVE_INFINITY
  let width = times.tickMs
  let failures = 0
  let notBefore = 0
  let stopped = false

  function arm(): void {
    if (tick || stopped || waiting.size === 0) return
    const due = Math.max(lastTick + width, notBefore)
    tick = setTimeout(onTick, Math.max(0, due - performance.now()))
  }

  function onTick(): void {
    tick = undefined
    lastTick = performance.now()
    void flush([...waiting])
  }

  function hurry(parcel: Parcel): void {
    urgent.add(parcel)
    soon ??= setImmediate(() => {
      soon = undefined
      const parcels = [...urgent]
      urgent.clear()
      void flush(parcels)
    })
  }

  async function flush(parcels: readonly Parcel[]): Promise<void> {
    const loads = parcels
      .filter(({ sending, dropped }) => !sending && !dropped)
      .map((parcel) => {
        waiting.delete(parcel)
        return { parcel, chunks: parcel.draft.freeze() }
      })
      .filter(({ chunks }) => chunks.length > 0)
    if (loads.length === 0) return
    for (const { parcel } of loads) parcel.sending = true
    const outcomes = await send(loads.flatMap(({ chunks }) => chunks))
    let from = 0
    for (const { parcel, chunks } of loads) {
      parcel.sending = false
      if (!parcel.dropped) deliver(parcel, outcomes?.slice(from, from + chunks.length))
      from += chunks.length
    }
    arm()
  }

  /** Undefined: it is not known what became of them. */
  async function send(batch: readonly ChunkAppend[]): Promise<ChunkOutcome[] | undefined> {
    const begun = performance.now()
    try {
      const outcomes = await answers.append(batch)
      failures = 0
      notBefore = 0
      return outcomes
    } catch (err) {
      failures += 1
      const waitMs = storeBackoff(failures)
      notBefore = performance.now() + waitMs
      const level = err instanceof Unavailable ? 'warn' : 'error'
      log[level](
        { err, chunks: batch.length, tries: failures, waitMs },
        'chunks may not have arrived, sending them again',
      )
      return undefined
    } finally {
      const tookMs = performance.now() - begun
      // A store or a processor that is behind gets fewer and larger calls.
      width = Math.min(times.maxTickMs, Math.max(times.tickMs, tookMs))
      metrics.append.observe(tookMs / 1000)
    }
  }

  function deliver(parcel: Parcel, outcomes: readonly ChunkOutcome[] | undefined): void {
    const { draft, listener } = parcel
    const accepted = outcomes?.filter((outcome) => outcome === 'accepted').length ?? 0
    metrics.chunks.inc(accepted)
    const verdict = outcomes ? draft.settle(outcomes) : 'unknown'
    if (verdict !== 'unknown' || accepted > 0) parcel.awaySince = undefined
    if (verdict === 'unknown') {
      if (outcomes && parcel.awaySince === undefined) {
        log.warn({ answerId: draft.ref.answerId }, 'chunks of an answer may not have arrived, sending them again')
      }
      parcel.awaySince ??= performance.now()
      if (performance.now() - parcel.awaySince > times.awayMs) return refuse(parcel, 'away')
      waiting.add(parcel)
      if (accepted > 0) listener.accepted()
      return
    }
    if (verdict) return refuse(parcel, verdict)
    if (draft.unsentUnits > 0) waiting.add(parcel)
    mergeOlder(parcel)
    listener.accepted()
  }

  function refuse(parcel: Parcel, why: Refused | 'away'): void {
    parcel.dropped = true
    parcel.listener.refused(why)
  }

  /** Saves the store room, and is of no account otherwise: whether it works is not waited for. */
  function mergeOlder(parcel: Parcel): void {
    const { draft } = parcel
    if (parcel.merging || parcel.dropped) return
    const segment = draft.segment()
    if (!segment) return
    const { ref, attempt } = draft
    parcel.merging = true
    answers.merge(ref, attempt, segment.from, segment.upTo, segment.packet).then(
      (merged) => {
        // Refused once, it would be refused again: the store has another attempt, or none, as the next chunk will learn.
        if (!merged) return
        draft.merged(segment)
        parcel.merging = false
        mergeOlder(parcel)
      },
      (err) => {
        log.debug({ err, answerId: ref.answerId }, 'chunks could not be merged, trying again with the next')
        parcel.merging = false
      },
    )
  }

  return {
    carry(draft, listener) {
      const parcel: Parcel = { draft, listener, sending: false, dropped: false, merging: false, awaySince: undefined }
      return {
        more(urgency) {
          if (parcel.dropped) return
          waiting.add(parcel)
          // While the store is away nothing is urgent.
          const atOnce = (urgency === 'now' || draft.fresh) && !parcel.sending && performance.now() >= notBefore
          if (atOnce) hurry(parcel)
          else arm()
        },
        drop() {
          parcel.dropped = true
          waiting.delete(parcel)
          urgent.delete(parcel)
        },
      }
    },
    stop() {
      stopped = true
      clearTimeout(tick)
      clearImmediate(soon)
    },
  }
}
