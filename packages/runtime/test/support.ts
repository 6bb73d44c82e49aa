import { createLogger, type Logger, type LogLevel } from '../src/index.ts'

export interface LogLines {
  readonly logger: Logger
  readonly raw: string[]
  lines(): Record<string, unknown>[]
  messages(): unknown[]
}

/** A logger whose lines can be read. */
export function readableLogger(level: LogLevel = 'trace'): LogLines {
  const raw: string[] = []
  const logger = createLogger({ service: 'test', level, destination: { write: (line) => raw.push(line) } })
  const lines = () => raw.map((line): Record<string, unknown> => JSON.parse(line))
  return { logger, raw, lines, messages: () => lines().map((line) => line.msg) }
}

/** 32 bytes that a validator takes for random. */
export const key32 = (seed: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, i) => (seed * 97 + i * i * 31 + i * 7) % 256))

export const STRONG_SECRET = 'kP3vQ9xTzL1mW8nRb5yHc2dJf7gSa4uE6oIq0wXt' // made up for tests, not a secret
