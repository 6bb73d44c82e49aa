import type { EventEmitter } from 'node:events'
import { constants } from 'node:os'
import type { Logger } from '../log/logger.ts'
import type { Part } from './part.ts'
import { type StopTimes, stopParts } from './stop-parts.ts'

type StopSignal = 'SIGINT' | 'SIGTERM'
const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM']
const FATAL_EVENTS = ['uncaughtException', 'unhandledRejection'] as const

export interface LifecycleOptions extends Partial<StopTimes> {
  logger: Logger
  deadlineMs: number
  /**
   * Told why a part failed to start; true if a person has been told so, who then needs no log line too. For programs that
   * somebody starts by hand.
   */
  tellFailure?: (error: unknown) => boolean
  /** Told of the first signal before the stop begins. */
  onSignal?: (signal: StopSignal) => void
  /** Where signals and fatal errors come from; the process by default. */
  events?: Pick<EventEmitter, 'on' | 'off'>
}

export interface Lifecycle {
  /** Starts the parts in order. When one fails, those before it are stopped, then this rejects with its error. */
  start(): Promise<void>
  /** Stops in reverse order. Always the same promise: of 0, or of 1 when something failed or had to be forced (S9). */
  stop(): Promise<number>
  /** For a part that cannot go on: logs it and stops, with exit code 1. */
  fail(error: unknown): Promise<number>
  /**
   * Starts, waits for SIGINT or SIGTERM, stops, and resolves with the code to exit with: that of stop, or 130
   * (SIGINT) or 143 (SIGTERM) at once when a second signal comes. Only a main calls process.exit.
   */
  run(): Promise<number>
}

export function lifecycle(parts: readonly Part[], options: LifecycleOptions): Lifecycle {
  const { logger, deadlineMs, graceMs = 1000, drainMs = 0, events = process } = options
  const running: Part[] = []
  const stopBegun = new AbortController()
  let starting: Promise<void> | undefined
  let stopping: Promise<number> | undefined
  let failed = false
  let complete = false
  let end: (exitCode: number) => void
  const ended = new Promise<number>((resolve) => {
    end = resolve
  })

  async function startParts(): Promise<void> {
    const begun = Date.now()
    for (const part of parts) {
      if (stopping) return
      await startPart(part)
    }
    if (stopping) return
    complete = true
    for (const part of running) part.ready?.()
    logger.info({ ms: Date.now() - begun, parts: running.map(({ name }) => name) }, 'start-up complete')
  }

  async function startPart(part: Part): Promise<void> {
    const begun = Date.now()
    try {
      await part.start(stopBegun.signal)
    } catch (err) {
      failed = true
      if (!options.tellFailure?.(err)) logger.fatal({ part: part.name, err }, 'failed to start')
      throw err
    }
    running.push(part)
    logger.info({ part: part.name, ms: Date.now() - begun }, 'started')
    for (const address of part.addresses?.() ?? []) logger.info({ part: part.name, address }, 'listening')
  }

  async function start(): Promise<void> {
    starting ??= startParts()
    try {
      await starting
    } catch (error) {
      await stop()
      throw error
    }
  }

  async function stopAll(): Promise<number> {
    logger.info({ deadlineMs }, 'stopping')
    stopBegun.abort()
    const started = starting ?? Promise.resolve()
    // Nobody was sent here yet who would have to be kept away.
    const drain = complete ? drainMs : 0
    const clean = await stopParts({ logger, started, running, deadlineMs, graceMs, drainMs: drain })
    const exitCode = clean && !failed ? 0 : 1
    logger.info({ exitCode }, 'stop complete')
    end(exitCode)
    return exitCode
  }

  function stop(): Promise<number> {
    stopping ??= stopAll()
    return stopping
  }

  function fail(error: unknown): Promise<number> {
    failed = true
    logger.fatal({ err: error }, 'cannot go on')
    return stop()
  }

  async function run(): Promise<number> {
    let signalled = false
    const onSignal = (signal: StopSignal) => {
      if (signalled) {
        logger.warn({ signal }, 'second signal: ending at once')
        return end(128 + constants.signals[signal])
      }
      signalled = true
      logger.info({ signal }, 'signal received')
      options.onSignal?.(signal)
      void stop()
    }
    for (const signal of STOP_SIGNALS) events.on(signal, onSignal)
    for (const event of FATAL_EVENTS) events.on(event, fail)
    try {
      // A failed start has been logged and stopped by now, and `ended` has its code.
      start().catch(() => undefined)
      return await ended
    } finally {
      for (const signal of STOP_SIGNALS) events.off(signal, onSignal)
      for (const event of FATAL_EVENTS) events.off(event, fail)
    }
  }

  return { start, stop, fail, run }
}
