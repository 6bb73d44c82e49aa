import {
  createLogger,
  createMetrics,
  createStructures,
  createTimers,
  type Logger,
  type LogLevel,
  type Metrics,
  type Structures,
  type Timers,
} from '@chatbox/runtime'

/** What every part of one process shares. */
export interface Process {
  readonly log: Logger
  readonly metrics: Metrics
  readonly timers: Timers
  readonly structures: Structures
  /** Counts a sealed value that did not open, by what it was. */
  readonly onUnopenable: (place: string) => void
}

export function createProcess(service: string, config: { logLevel: LogLevel; clockScale: number }): Process {
  const log = createLogger({ service, level: config.logLevel })
  const timers = createTimers(config.clockScale)
  const metrics = createMetrics({ processMetrics: true })
  const unopenable = metrics.counter({
    name: 'unopenable_total',
    help: 'Sealed values that did not open, by what they were.',
    labels: ['place'],
  })
  const saySeldom = seldom(timers.ms(SELDOM_MS))
  return {
    log,
    metrics,
    timers,
    structures: createStructures({ metrics, logger: log, timers }),
    onUnopenable(place) {
      unopenable.inc({ place })
      saySeldom(place, () =>
        log.error(
          { place },
          'something that was sealed does not open: is ENCRYPTION_KEY or HASH_KEY another one elsewhere?',
        ),
      )
    },
  }
}

const SELDOM_MS = 60_000

/** Says each thing once in so many milliseconds, however often it happens. */
export function seldom(ms: number): (what: string, say: () => void) => void {
  const said = new Map<string, number>()
  return (what, say) => {
    const now = performance.now()
    if (now - (said.get(what) ?? Number.NEGATIVE_INFINITY) < ms) return
    said.set(what, now)
    say()
  }
}
