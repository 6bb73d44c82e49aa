import type { Logger } from '../log/logger.ts'
import type { Timers } from '../timing/timers.ts'
import type { Metrics } from './metrics.ts'

/** Something that a process keeps in memory per session, connection, answer or key (S5). */
export interface Structure {
  /** The value of the label `structure`. */
  name: string
  size: () => number
  /** A warning is logged when the size passes this, and again after it has been below. */
  warnAbove: number
}

export interface TrackedStructure {
  /** Counts entries that a clean-up let go. */
  released(count: number): void
  untrack(): void
}

export interface Structures {
  track(structure: Structure): TrackedStructure
  /** Compares every size with its threshold now. */
  check(): void
  stop(): Promise<void>
}

export interface StructuresOptions {
  metrics: Metrics
  logger: Logger
  timers: Timers
  /** How often sizes are compared with their thresholds, before scaling. */
  everyMs?: number
}

/** Sizes and clean-ups of what is kept in memory, as metrics and warnings, in one place (S5). */
export function createStructures({ metrics, logger, timers, everyMs = 10_000 }: StructuresOptions): Structures {
  const tracked = new Set<Structure>()
  const warned = new WeakSet<Structure>()
  const releases = metrics.counter({
    name: 'structure_released_total',
    help: 'Entries that clean-ups let go, by structure.',
    labels: ['structure'],
  })
  const gauge = metrics.gauge({
    name: 'structure_entries',
    help: 'Entries kept in memory, by structure.',
    labels: ['structure'],
    collect(entries) {
      for (const { name, size } of tracked) entries.set({ structure: name }, size())
    },
  })

  function check(): void {
    for (const structure of tracked) {
      const entries = structure.size()
      if (entries <= structure.warnAbove) warned.delete(structure)
      else if (!warned.has(structure)) {
        warned.add(structure)
        logger.warn(
          { structure: structure.name, entries, warnAbove: structure.warnAbove },
          'more is kept in memory than expected',
        )
      }
    }
  }

  const stop = timers.every(everyMs, check, (err) => logger.error({ err }, 'sizes could not be compared'))

  return {
    track(structure) {
      if ([...tracked].some(({ name }) => name === structure.name)) {
        throw new TypeError(`structure ${structure.name} is tracked twice`)
      }
      tracked.add(structure)
      releases.inc({ structure: structure.name }, 0)
      return {
        released: (count) => releases.inc({ structure: structure.name }, count),
        untrack() {
          tracked.delete(structure)
          gauge.remove({ structure: structure.name })
        },
      }
    },
    check,
    stop,
  }
}
