import pino from 'pino'
import type { LogLevel } from '../config/parts/process.ts'
import { clean } from './clean.ts'
import { logError } from './error.ts'

/** One way to log: fields first, then a constant sentence. An error goes under `err`. */
export interface LogMethod {
  (message: string): void
  (fields: object, message: string): void
}

export interface Logger {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  /** A logger whose lines all have these fields: ids of a connection, a session, a request. */
  child(bindings: object): Logger
}

export interface LoggerOptions {
  /** The service's name, on each line. */
  service: string
  level?: LogLevel
  /** Where lines go; standard output by default, written before the call returns, so that a crash loses none. */
  destination?: { write(line: string): unknown }
}

const STANDARD_OUTPUT = 1

/** One JSON object per line. Secrets and content are taken out by name (clean) and by shape (tidyLine). */
export function createLogger({ service, level = 'info', destination }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: clean },
    // pino would otherwise give errors a serializer of its own, after `clean` has made them safe.
    serializers: { err: (value: unknown) => (value instanceof Error ? logError(value) : value) },
    hooks: { streamWrite: tidyLine },
  }
  const lines = destination
    ? { write: (line: string) => void destination.write(line) }
    : // By itself pino hands lines to another thread, and a process that ends meanwhile loses some, or has them out of order.
      pino.destination({ dest: STANDARD_OUTPUT, sync: true })
  return new Lines(pino(options, lines))
}

/**
 * A child is no more than its fields: pino's own children are objects of a kilobyte, and every connection has one. A class for the
 * same reason.
 */
class Lines implements Logger {
  readonly #log: pino.Logger
  readonly #bound: object

  constructor(log: pino.Logger, bound: object = {}) {
    this.#log = log
    this.#bound = bound
  }

  trace(first: string | object, message?: string): void {
    this.#write('trace', first, message)
  }

  debug(first: string | object, message?: string): void {
    this.#write('debug', first, message)
  }

  info(first: string | object, message?: string): void {
    this.#write('info', first, message)
  }

  warn(first: string | object, message?: string): void {
    this.#write('warn', first, message)
  }

  error(first: string | object, message?: string): void {
    this.#write('error', first, message)
  }

  fatal(first: string | object, message?: string): void {
    this.#write('fatal', first, message)
  }

  child(bindings: object): Logger {
    // Not by spread, which would give each child a hidden class of its own.
    return new Lines(this.#log, Object.assign({}, this.#bound, clean(bindings)))
  }

  #write(level: LogLevel, first: string | object, message: string | undefined): void {
    if (!this.#log.isLevelEnabled(level)) return
    if (typeof first === 'string') this.#log[level](this.#bound, first)
    else this.#log[level]({ ...this.#bound, ...(first instanceof Error ? { err: first } : first) }, message)
  }
}

const SECRET_SHAPES = [
  // A JSON Web Token.
  [/\beyJ[\w-]{6,}\.[\w-]*\.?[\w-]*/g, '[redacted]'],
  [/\b(Bearer|Basic) +[\w.~+/=-]+/gi, '$1 [redacted]'],
  // The user and password of a connection string.
  [/:\/\/[^\s/"\\@]*@/g, '://[redacted]@'],
] as const

// What JSON leaves as it is and a terminal or a line reader may act on.
const ODD = /[\u007f-\u009f\u2028\u2029]/g

/** A last look at the finished line, the sentence and bound fields included. */
function tidyLine(line: string): string {
  let tidy = line.replace(ODD, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  for (const [shape, instead] of SECRET_SHAPES) tidy = tidy.replace(shape, instead)
  return tidy
}
