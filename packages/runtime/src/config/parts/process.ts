import { decimal, duration, oneOf, text } from '../codecs/values.ts'
import { group, mapped } from '../group.ts'
import { type Setting, setting } from '../setting.ts'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export function logLevel(): Setting<LogLevel> {
  return setting('LOG_LEVEL', oneOf(LOG_LEVELS), {
    about: `The least severe lines to log: ${LOG_LEVELS.join(', ')}.`,
    default: 'info',
  })
}

export function dataDir(fallback: string): Setting<string> {
  return setting('DATA_DIR', text, { about: 'Folder of the database, the keys and the secret.', default: fallback })
}

/** Below the 30 s that Kubernetes gives by default, so that the process ends by itself (S9). */
export function shutdownTimeout(fallback = '25s'): Setting<number> {
  return setting('SHUTDOWN_TIMEOUT', duration({ min: 100, max: 3_600_000 }), {
    about: 'How long a stop may take before the rest is forced.',
    default: fallback,
  })
}

/** Milliseconds. */
export interface Shutdown {
  /** How long a stop may take in all. */
  readonly timeout: number
  /** Of that, how long to go on as before, being unready, until load balancers have noticed. */
  readonly delay: number
}

/** SHUTDOWN_TIMEOUT and DRAIN_DELAY, for what people connect to (S9). */
export function shutdown(defaults: { timeout: string; delay: string }): Setting<Shutdown> {
  return group(
    {
      timeout: shutdownTimeout(defaults.timeout),
      delay: setting('DRAIN_DELAY', duration({ max: 600_000 }), {
        about:
          'How long a stop goes on letting people in while it is unready already, because load balancers notice late.',
        default: defaults.delay,
      }),
    },
    ({ timeout, delay }, source) => {
      if (delay >= timeout) source.fault('DRAIN_DELAY', 'must be shorter than SHUTDOWN_TIMEOUT')
    },
  )
}

/** CLOCK_SCALE: what every interval of the process is multiplied by (R30). */
export function clockScale(): Setting<number> {
  const name = 'CLOCK_SCALE'
  const scale = setting(name, decimal({ min: 0.001, max: 10 }), {
    about: 'Factor of leases, sweeps and the other intervals of the services; for tests, which use 0.1.',
    default: '1',
  })
  const inGroup = group({ scale }, (value, source) => {
    if (source.production && value.scale !== 1)
      source.warn(name, 'is not 1: leases and limits differ from their documented values')
  })
  return mapped(inGroup, (value) => value.scale)
}
