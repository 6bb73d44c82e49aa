import type { AnswerId, AnswerRef, Job } from '@chatbox/core'

/** Why the provider is not read on; the answer then gets what belongs to it. */
export type StopReason = 'cancelled' | 'full' | 'timeout' | 'handback'

/** Why nothing more may be written about an answer by this worker: whoever takes over, or the sweeper, sees to its end. */
export type LeaveReason = 'superseded' | 'job-lost' | 'store-away' | 'deadline'

export class Stopped extends Error {
  override readonly name = 'Stopped'
  readonly reason: StopReason

  constructor(reason: StopReason) {
    super(`stopped: ${reason}`)
    this.reason = reason
  }
}

export class Left extends Error {
  override readonly name = 'Left'
  readonly reason: LeaveReason

  constructor(reason: LeaveReason, cause?: unknown) {
    super(`left: ${reason}`, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}

/** One answer that this worker has in hand, for everybody who may want to stop it. */
export interface Answering {
  readonly answerId: AnswerId
  /** Known once the turn was read. */
  ref: AnswerRef | undefined
  /** `waiting` for the first token; `ending`: the provider is no longer of any account. */
  phase: 'waiting' | 'speaking' | 'ending'
  /** The first reason counts. */
  stop(reason: StopReason): void
  leave(reason: LeaveReason): void
  /** Aborts with `Stopped` or `Left`: for the provider and for pauses between its tries. */
  readonly stopped: AbortSignal
  /** Aborts with `Left`: for all the rest. */
  readonly left: AbortSignal
}

export function createAnswering({ answerId }: Job): Answering {
  const stopping = new AbortController()
  const leaving = new AbortController()
  return {
    answerId,
    ref: undefined,
    phase: 'waiting',
    stop: (reason) => stopping.abort(new Stopped(reason)),
    leave(reason) {
      const left = new Left(reason)
      leaving.abort(left)
      stopping.abort(left)
    },
    stopped: stopping.signal,
    left: leaving.signal,
  }
}
