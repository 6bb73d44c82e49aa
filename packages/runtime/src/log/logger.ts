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
  return wrap(destination ? pino(options, { write: (line) => void destination.write(line) }) : pino(options))
}

/** pino hands the bindings of a child to no formatter, so they are cleaned before they get there. */
function wrap(log: pino.Logger): Logger {
  const at =
    (level: LogLevel): LogMethod =>
    (first: string | object, message?: string) => {
      if (typeof first === 'string') log[level](first)
      else log[level](first, message)
    }
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    child: (bindings) => wrap(log.child(clean(bindings))),
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
