/** Times and bounds that hardly anybody needs to change; tests make them short. */
export interface Tuning {
  /** Cap of the first random delay before coming back; it doubles with each try. Default 1 000. */
  readonly backoffBaseMs: number
  /** What that cap grows to. Default 30 000. */
  readonly backoffCapMs: number
  /** From asking for a token to `ready`. Default 15 000. */
  readonly connectMs: number
  /** A connection that lived this long proves that all is well: the next delay starts small again. Default 10 000. */
  readonly steadyMs: number
  /** How long a pong may take when there is a reason to doubt the connection. Default 5 000. */
  readonly probeMs: number
  /** How long before the token expires a new one is asked for. Default 60 000. */
  readonly refreshAheadMs: number
  /** How long a REST call may take. Default 15 000. */
  readonly restMs: number
  /** Messages that wait for acceptance; one more is refused as `overloaded`. Default 100. */
  readonly maxPending: number
  /** Answers that are remembered; ended ones go first. Default 100. */
  readonly maxAnswers: number
}

export const defaultTuning: Tuning = {
  backoffBaseMs: 1_000,
  backoffCapMs: 30_000,
  connectMs: 15_000,
  steadyMs: 10_000,
  probeMs: 5_000,
  refreshAheadMs: 60_000,
  restMs: 15_000,
  maxPending: 100,
  maxAnswers: 100,
}
