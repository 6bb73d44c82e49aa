import { type Job, type Jobs, Unavailable } from '@chatbox/core'
import type { Later } from './later.ts'
import type { MemoryBounds, MemoryClocks } from './options.ts'

interface Consumer {
  readonly handler: (job: Job, signal: AbortSignal) => Promise<void>
  readonly concurrency: number
  readonly running: Set<Promise<void>>
}

interface Work {
  readonly job: Job
  readonly abort: AbortController
  /** Its worker is gone: how it ends is of no account. */
  lost: boolean
}

export interface MemoryJobs extends Jobs {
  /** As if the job's worker had died or stopped: its signal aborts, and the job waits again. False if it is not at work. */
  lose(job: Job): boolean
  empty(): void
  close(): void
  readonly size: number
}

export interface JobsOptions {
  readonly clocks: MemoryClocks
  readonly bounds: MemoryBounds
  readonly later: Later
  /** What a handler threw. */
  readonly onError: (error: unknown) => void
}

const idOf = ({ answerId, n }: Job): string => `${answerId}-${n}`
const copyOf = ({ sid, answerId, n }: Job): Job => ({ sid, answerId, n })

export function createJobs({ clocks, bounds, later, onError }: JobsOptions): MemoryJobs {
  const waiting = new Map<string, Job>()
  const active = new Map<string, Work>()
  const stalls = new Set<NodeJS.Timeout>()
  /** Whoever was given a job goes to the end, so that several workers share the jobs. */
  let consumers: Consumer[] = []
  let dispatching = false

  const free = ({ running, concurrency }: Consumer) => running.size < concurrency

  function start(consumer: Consumer, id: string, job: Job): void {
    consumers = [...consumers.filter((other) => other !== consumer), consumer]
    const work: Work = { job, abort: new AbortController(), lost: false }
    active.set(id, work)
    const running = Promise.resolve()
      .then(() => consumer.handler(copyOf(job), work.abort.signal))
      .catch((error: unknown) => {
        if (!work.lost) onError(error)
      })
      .then(() => {
        consumer.running.delete(running)
        if (active.get(id) === work && !work.lost) active.delete(id)
        dispatchLater()
      })
    consumer.running.add(running)
  }

  function dispatch(): void {
    dispatching = false
    for (const [id, job] of waiting) {
      const consumer = consumers.find(free)
      if (!consumer) return
      waiting.delete(id)
      start(consumer, id, job)
    }
  }

  function dispatchLater(): void {
    if (dispatching || waiting.size === 0) return
    dispatching = true
    later(dispatch)
  }

  function comeBack(id: string, work: Work): void {
    if (active.get(id) !== work) return
    active.delete(id)
    waiting.set(id, work.job)
    dispatchLater()
  }

  const abandon = (work: Work, reason: string) => {
    work.lost = true
    work.abort.abort(new Error(reason))
  }

  return {
    async enqueue(job) {
      const id = idOf(job)
      if (waiting.has(id) || active.has(id)) return
      if (waiting.size >= bounds.jobs) throw new Unavailable('too many jobs wait')
      waiting.set(id, copyOf(job))
      dispatchLater()
    },
    async exists(jobs) {
      return jobs.map((job) => waiting.has(idOf(job)) || active.has(idOf(job)))
    },
    async consume(handler, { concurrency }) {
      const consumer: Consumer = { handler, concurrency, running: new Set() }
      consumers = [...consumers, consumer]
      dispatchLater()
      return {
        async stop() {
          consumers = consumers.filter((other) => other !== consumer)
          await Promise.all(consumer.running)
        },
      }
    },
    async depth() {
      return { waiting: waiting.size, active: active.size }
    },
    async drop(job) {
      waiting.delete(idOf(job))
    },
    lose(job) {
      const id = idOf(job)
      const work = active.get(id)
      if (!work || work.lost) return false
      abandon(work, 'the job was lost to somebody else')
      const stall = setTimeout(() => {
        stalls.delete(stall)
        comeBack(id, work)
      }, clocks.jobStallMs).unref()
      stalls.add(stall)
      return true
    },
    empty() {
      const lost = [...active.values()]
      waiting.clear()
      active.clear()
      for (const work of lost) abandon(work, 'the store lost the job')
    },
    close() {
      consumers = []
      for (const stall of stalls) clearTimeout(stall)
      stalls.clear()
    },
    get size() {
      return waiting.size + active.size
    },
  }
}
