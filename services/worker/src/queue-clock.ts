import type { Ingest } from '@chatbox/core'
import type { Logger } from '@chatbox/runtime'

/** The time that ends and deadlines are told in: that of the queue, whatever this machine's clock says (R11). */
export interface QueueClock {
  now(): number
  /** Reads it now, and then on an interval. */
  start(): Promise<void>
  stop(): void
}

export function queueClock(ingest: Pick<Ingest, 'now'>, everyMs: number, log: Logger): QueueClock {
  // Counted from the monotonic clock, which nobody sets back.
  let offset: number | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  async function read(): Promise<void> {
    try {
      const asked = performance.now()
      const there = await ingest.now()
      offset = there - (asked + performance.now()) / 2
    } catch (err) {
      log.warn({ err }, "the queue's clock could not be read")
    }
    if (!stopped) timer = setTimeout(read, everyMs)
  }

  return {
    now: () => Math.round(offset === undefined ? Date.now() : performance.now() + offset),
    start: read,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
