import type { Job, JobConsumer, Unsubscribe } from '@chatbox/core'
import type { Part, Structures } from '@chatbox/runtime'
import { type Answering, createAnswering, Left } from './answering.ts'
import { watchCancels } from './cancels.ts'
import { deltaBatcher } from './delta-batcher.ts'
import {
  defaultWorkerBounds,
  defaultWorkerTimes,
  type WorkerBounds,
  type WorkerDeps,
  type WorkerTimes,
} from './deps.ts'
import { queueClock } from './queue-clock.ts'
import { runAnswer } from './run-answer.ts'
import { createSuspects } from './suspects.ts'
import type { Work } from './work.ts'

export interface WorkerOptions {
  readonly times?: Partial<WorkerTimes>
  readonly bounds?: Partial<WorkerBounds>
  readonly structures?: Structures
}

/** Takes answers that wait, asks the models, and streams what they say. Any number of workers may run. */
export function createWorker(deps: WorkerDeps, options: WorkerOptions = {}): Part {
  const times: WorkerTimes = { ...defaultWorkerTimes, totalMs: deps.answerLimits.totalMs, ...options.times }
  const bounds: WorkerBounds = { ...defaultWorkerBounds, ...options.bounds }
  const log = deps.log.child({ replica: deps.replica })
  const { answers, jobs, ingest } = deps.fabric
  const batcher = deltaBatcher({ answers, times, log, metrics: deps.metrics })
  const clock = queueClock(ingest, times.clockMs, log)
  const suspects = createSuspects()
  const work: Work = { ...deps, log, times, bounds, batcher, clock, suspects }
  const underWay = new Set<Answering>()
  const structure = { name: 'worker_answers', size: () => underWay.size, warnAbove: bounds.concurrency }
  const tracked = options.structures?.track(structure)

  let consumer: JobConsumer | undefined
  let unwatch: Unsubscribe | undefined
  let stopping: Promise<void> | undefined

  async function handle(job: Job, lost: AbortSignal): Promise<void> {
    const answering = createAnswering(job)
    const onLost = () => answering.leave('job-lost')
    lost.addEventListener('abort', onLost)
    if (lost.aborted) onLost()
    if (stopping) answering.stop('handback')
    underWay.add(answering)
    deps.metrics.active.set(underWay.size)
    try {
      await runAnswer(work, answering, job)
    } catch (error) {
      leftOff(job, error)
    } finally {
      lost.removeEventListener('abort', onLost)
      suspects.leave(answering)
      underWay.delete(answering)
      deps.metrics.active.set(underWay.size)
    }
  }

  function leftOff({ sid, answerId, n }: Job, error: unknown): void {
    const reason = error instanceof Left ? error.reason : 'failed'
    deps.metrics.left.inc({ reason })
    if (error instanceof Left && error.reason === 'superseded') {
      log.info({ sid, answerId, n, reason }, 'an answer is no longer of this worker')
    } else log.error({ err: error, sid, answerId, n, reason }, 'an answer was left to whoever finds it')
  }

  async function stop(deadline: AbortSignal): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      const onDeadline = () => {
        for (const answering of underWay) answering.leave('deadline')
        resolve()
      }
      deadline.addEventListener('abort', onDeadline, { once: true })
      if (deadline.aborted) onDeadline()
    })
    const idle = consumer?.stop()
    // Nobody has seen anything of these: another worker is as quick. Those that speak may finish, for a while.
    for (const answering of underWay) if (answering.phase === 'waiting') answering.stop('handback')
    const patience = setTimeout(() => {
      for (const answering of underWay) answering.stop('handback')
    }, times.finishMs)
    await Promise.race([idle, gone])
    clearTimeout(patience)
    clock.stop()
    batcher.stop()
    await Promise.race([unwatch?.(), gone])
    tracked?.untrack()
  }

  return {
    name: 'worker',
    async start() {
      await clock.start()
      try {
        unwatch = await watchCancels(work, underWay)
        consumer = await jobs.consume(handle, { concurrency: bounds.concurrency })
      } catch (error) {
        clock.stop()
        await unwatch?.()
        tracked?.untrack()
        throw error
      }
    },
    stop(deadline) {
      stopping ??= stop(deadline)
      return stopping
    },
  }
}
