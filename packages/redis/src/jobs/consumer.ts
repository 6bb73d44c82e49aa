import { setTimeout as pause } from 'node:timers/promises'
import type { Job, JobConsumer } from '@chatbox/core'
import { type Job as BullJob, createRedisBackend, WaitingError, Worker } from 'bullmq'
import { codeOf } from '../connection/faults.ts'
import type { Keys } from '../keys.ts'
import type { RedisClocks } from '../options.ts'
import { jobsAtWork } from './at-work.ts'
import type { JobsConnection } from './connections.ts'
import { QUEUE } from './names.ts'

export interface ConsumerDeps {
  readonly keys: Keys
  readonly clocks: Pick<RedisClocks, 'jobLockMs' | 'jobStallMs' | 'commandMs' | 'retryMs'>
  readonly concurrency: number
  readonly handler: (job: Job, signal: AbortSignal) => Promise<void>
  connect(): JobsConnection
  readonly onError: (error: unknown) => void
  readonly onFault: (fault: unknown) => void
}

export interface OpenConsumer extends JobConsumer {
  readonly atWork: number
  /** Without waiting for anything. */
  close(): void
}

/**
 * A waiting worker looks by itself this often: the word that a job is there goes to one of those who wait, and that one may hang. With
 * the hold and twice the search for holds that ran out it is what a dead worker's job takes to come back: 15 s (docs/decisions/0008).
 */
const LOOK_S = 1

/** After a fault BullMQ waits for as long as its backend lets it. */
const waitingBriefly: typeof createRedisBackend = (...args) =>
  Object.defineProperty(createRedisBackend(...args), 'maximumBlockTimeout', { value: LOOK_S })

/** Attempts are counted in the database; a job comes back however often its worker dies. */
const AS_OFTEN_AS_IT_TAKES = 1_000_000_000

export function createConsumer(deps: ConsumerDeps): OpenConsumer {
  const { keys, clocks, concurrency, handler, onError, onFault } = deps
  const connection = deps.connect()
  let leaving = false
  let stopped: Promise<void> | undefined
  let resting: NodeJS.Timeout | undefined

  async function work(job: BullJob<Job>, token = ''): Promise<void> {
    // It was on its way when the worker stopped: somebody else has it at once.
    if (leaving) await job.moveToWait(token)
    if (leaving || (await works.run({ id: job.id ?? '', token, data: job.data })).lost) throw new WaitingError()
  }

  const options = {
    connection: connection.client,
    prefix: keys.jobs,
    concurrency,
    lockDuration: clocks.jobLockMs,
    skipLockRenewal: true,
    stalledInterval: clocks.jobStallMs,
    maxStalledCount: AS_OFTEN_AS_IT_TAKES,
    drainDelay: LOOK_S,
    runRetryDelay: clocks.retryMs,
    skipVersionCheck: true,
  }
  const worker = new Worker<Job>(QUEUE, work, options, waitingBriefly)
  const works = jobsAtWork({
    handler,
    holdMs: clocks.jobLockMs,
    renew: (ids, tokens) => worker.extendJobLocks(ids, tokens, clocks.jobLockMs),
    onError,
    onFault,
  })

  worker.on('error', (error) => {
    onFault(error)
    if (codeOf(error) !== undefined) rest()
  })

  /** A worker that is refused its next job asks again without a pause. */
  function rest(): void {
    if (resting || leaving) return
    resting = setTimeout(() => {
      resting = undefined
      if (!leaving) worker.resume().catch(onFault)
    }, clocks.retryMs).unref()
    worker.pause(true).catch(onFault)
  }

  function leave(): void {
    leaving = true
    clearTimeout(resting)
  }

  function close(): void {
    leave()
    works.close()
    worker.close(true).catch(onFault)
    connection.close()
  }

  async function stop(): Promise<void> {
    leave()
    const closing = worker.close().catch(onFault)
    await works.idle()
    // The last of them are told to be over meanwhile; a server that is away is not waited for.
    await Promise.race([closing, pause(clocks.commandMs, undefined, { ref: false })])
    close()
  }

  return {
    stop() {
      stopped ??= stop()
      return stopped
    },
    get atWork() {
      return works.size
    },
    close,
  }
}
