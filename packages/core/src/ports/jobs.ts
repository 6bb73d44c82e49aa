import type { AnswerId, SessionId } from '../ids.ts'

/** Ids only: what a job store keeps is readable there. */
export interface Job {
  readonly sid: SessionId
  readonly answerId: AnswerId
  readonly n: number
}

export interface JobConsumer {
  /** Takes no more jobs; resolves when those at work have ended. */
  stop(): Promise<void>
}

export interface ConsumeOptions {
  readonly concurrency: number
}

/** Answers that wait for a worker. At least once: a job whose worker dies comes back. */
export interface Jobs {
  /** A job that exists already is left as it is. */
  enqueue(job: Job): Promise<void>
  /** It waits or is at work. */
  exists(jobs: readonly Job[]): Promise<boolean[]>
  /** The signal aborts when the job was lost to somebody else. However the handler ends, the job is over. */
  consume(handler: (job: Job, signal: AbortSignal) => Promise<void>, options: ConsumeOptions): Promise<JobConsumer>
  depth(): Promise<{ readonly waiting: number; readonly active: number }>
  /** Takes away a job that waits; one at work goes on. */
  drop(job: Job): Promise<void>
}
