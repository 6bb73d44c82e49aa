import { readFileSync } from 'node:fs'
import { ConfigError, type Fault } from './fault.ts'
import { misspelt } from './misspelt.ts'
import type { Setting } from './setting.ts'
import { createSource, type Env, FAULTY } from './source.ts'

export interface Loaded<T> {
  readonly config: T
  /** What is allowed but should be known; log them with logConfigWarnings. */
  readonly warnings: readonly Fault[]
}

export interface LoadOptions {
  /** Reads the files that NAME_FILE variables name. */
  readFile?: (path: string) => string
}

/** Reads a whole configuration, or throws a ConfigError that lists every fault (X7). */
export function loadConfig<T>(setting: Setting<T>, env: Env, options: LoadOptions = {}): Loaded<T> {
  const source = createSource(env, options.readFile ?? ((path) => readFileSync(path, 'utf8')))
  const config = setting.read(source)
  const near = misspelt(env, setting.docs, source.asked)
  if (config === FAULTY || source.faults.length > 0) throw new ConfigError([...source.faults, ...near])
  return { config, warnings: [...source.warnings, ...near] }
}

interface WarningLogger {
  warn(fields: object, message: string): void
}

export function logConfigWarnings(logger: WarningLogger, warnings: readonly Fault[]): void {
  for (const { name, sentence } of warnings) logger.warn({ setting: name }, sentence)
}
