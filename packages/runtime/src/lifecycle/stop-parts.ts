import type { Logger } from '../log/logger.ts'
import type { Part } from './part.ts'

export interface StopTimes {
  /** How long everything together may take. */
  deadlineMs: number
  /** How long the parts that are left have after that to let go, all together. */
  graceMs: number
  /** How long to stay open after `drain`, so that load balancers notice first. */
  drainMs: number
}

interface Stopping extends StopTimes {
  logger: Logger
  /** Settles when no part is starting any more. */
  started: Promise<unknown>
  /** In the order of their start; complete once `started` has settled. */
  running: readonly Part[]
}

/** Stops the parts in reverse. True when each of them stopped by itself, in time and without an error. */
export async function stopParts({ logger, started, running, ...times }: Stopping): Promise<boolean> {
  const deadline = abortAfter(times.deadlineMs)
  const end = abortAfter(times.deadlineMs + times.graceMs)
  let clean = true

  const forced = (part: string) => {
    clean = false
    logger.error({ part, deadlineMs: times.deadlineMs }, 'forced to stop')
  }

  async function stopPart(part: Part): Promise<void> {
    const begun = Date.now()
    // A part whose turn comes after the deadline is told so from its start; it counts as forced only if it stays.
    const wasLate = deadline.signal.aborted
    try {
      const ended = await Promise.race([part.stop(deadline.signal).then(() => true), end.reached])
      if (!ended || (deadline.signal.aborted && !wasLate)) forced(part.name)
      else logger.info({ part: part.name, ms: Date.now() - begun }, 'stopped')
    } catch (err) {
      clean = false
      logger.error({ part: part.name, err }, 'failed to stop')
    }
  }

  for (const part of running) part.drain?.()
  const settled = started.then(
    () => true,
    () => true,
  )
  if (!(await Promise.race([settled, deadline.reached]))) forced('a part that is still starting')
  if (running.length > 0) await pause(times.drainMs, deadline.reached)
  for (const part of [...running].reverse()) await stopPart(part)

  deadline.cancel()
  end.cancel()
  return clean && !deadline.signal.aborted
}

/** These timers keep the process alive: a stop that is waiting for its deadline is work. */
function abortAfter(ms: number) {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), ms)
  const reached = new Promise<false>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(false), { once: true })
  })
  return { signal: controller.signal, reached, cancel: () => clearTimeout(timer) }
}

async function pause(ms: number, unless: Promise<unknown>): Promise<void> {
  if (ms <= 0) return
  const wait = abortAfter(ms)
  await Promise.race([wait.reached, unless])
  wait.cancel()
}
