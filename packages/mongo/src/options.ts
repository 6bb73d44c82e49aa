import type { Retry } from './attempts.ts'

export interface MongoOptions {
  /** `mongodb://` or `mongodb+srv://`, with user, TLS and replica set in it. What it says of read and write concerns is overruled. */
  readonly uri: string
  readonly database: string
  /** Every call is answered within this, by `Unavailable` if need be; 4 s by default (P8). */
  readonly answerMs?: number
  /** How long a write waits for others to share a command with; 2 ms by default. */
  readonly gatherMs?: number
  /** The most writes in one command; 500 by default. */
  readonly gatherSize?: number
  /** The most sessions that one command counts, so that none takes long however many there are; 100 000 by default. */
  readonly countSize?: number
  /** Connections to each server; 20 by default. */
  readonly maxConnections?: number
  /** The clock that leases run by; the database server's own by default, for those of replicas may be apart. */
  readonly now?: () => number
  /** For the log: each time that something is tried again (D3). */
  readonly onRetry?: (retry: Retry) => void
}

export interface Settings {
  readonly answerMs: number
  /** One step of a call, so that a server that hangs, and not only one that is gone, leaves time for a second try. */
  readonly stepMs: number
  /** What the server may take for it: a little less, so that its word comes before nobody waits for it any more. */
  readonly serverMs: number
  readonly gatherMs: number
  readonly gatherSize: number
  readonly countSize: number
}

export function settingsOf(options: MongoOptions): Settings {
  const { answerMs = 4_000, gatherMs = 2, gatherSize = 500, countSize = 100_000 } = options
  const stepMs = Math.max(2, Math.floor(answerMs / 2))
  return { answerMs, stepMs, serverMs: Math.floor(stepMs * 0.9), gatherMs, gatherSize, countSize }
}
