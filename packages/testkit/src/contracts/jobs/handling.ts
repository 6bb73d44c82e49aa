import type { Job, JobConsumer, Jobs } from '@chatbox/core'
import { someAnswerId, someSession } from '../samples.ts'

export const someJob = (n = 1): Job => ({ sid: someSession(), answerId: someAnswerId(), n })

export interface Handling {
  readonly job: Job
  readonly signal: AbortSignal
  /** Ends the handler. */
  finish(fault?: Error): void
  readonly ended: boolean
}

export interface Worker {
  readonly handled: readonly Handling[]
  readonly consumer: JobConsumer
  /** Of one job, the last time it was given. */
  of(job: Job): Handling | undefined
  finishAll(): void
}

/** A worker whose jobs end when the test says so. */
export async function worker(jobs: Jobs, concurrency = 10): Promise<Worker> {
  const handled: Handling[] = []
  const consumer = await jobs.consume(
    (job, signal) =>
      new Promise<void>((resolve, reject) => {
        let ended = false
        handled.push({
          job,
          signal,
          finish(fault) {
            ended = true
            if (fault) reject(fault)
            else resolve()
          },
          get ended() {
            return ended
          },
        })
      }),
    { concurrency },
  )
  return {
    handled,
    consumer,
    of: (job) => handled.findLast((one) => one.job.answerId === job.answerId && one.job.n === job.n),
    finishAll() {
      for (const one of handled) one.finish()
    },
  }
}
