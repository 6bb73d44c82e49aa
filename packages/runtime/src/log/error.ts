/** What a log line says of an error: never properties of its own making, which may hold what a person wrote. */
export interface LoggedError {
  readonly name: string
  readonly code?: string | number
  readonly message: string
  readonly stack?: string
  /** Names and codes of what caused it, the nearest first. */
  readonly causes?: readonly string[]
}

const LONGEST_MESSAGE = 500
const DEEPEST_CAUSE = 5

/** Their messages quote the text that could not be parsed, or name keys that the sender chose. */
const QUOTING = new Set(['SyntaxError', 'ZodError', '$ZodError', 'URIError'])

export function logError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { name: typeof error, message: 'something that is no Error was thrown' }
  const code = codeOf(error)
  const stack = framesOf(error)
  const causes = causesOf(error)
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: messageOf(error),
    ...(stack === '' ? {} : { stack }),
    ...(causes.length === 0 ? {} : { causes }),
  }
}

function messageOf(error: Error): string {
  if (QUOTING.has(error.name)) return '(withheld: it may quote input)'
  // MongoDB's duplicate key error ends with the values of the key.
  return error.message.replace(/dup key:.*$/s, 'dup key').slice(0, LONGEST_MESSAGE)
}

function codeOf(error: unknown): string | number | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' || typeof error.code === 'number' ? error.code : undefined
}

/** The message comes first in a stack and may have many lines; only the places are wanted. */
function framesOf(error: Error): string {
  const header = `${error.name}: ${error.message}`
  const stack = error.stack ?? ''
  const rest = stack.startsWith(header) ? stack.slice(header.length) : stack
  return (rest.match(/^ {4}at .*$/gm) ?? []).join('\n')
}

function causesOf(error: Error): string[] {
  const causes: string[] = []
  let cause: unknown = error.cause
  while (cause instanceof Error && causes.length < DEEPEST_CAUSE) {
    causes.push(nameAndCode(cause))
    cause = cause.cause
  }
  if (error instanceof AggregateError) causes.push(...error.errors.slice(0, DEEPEST_CAUSE).map(nameAndCode))
  return causes
}

function nameAndCode(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const code = codeOf(error)
  return code === undefined ? error.name : `${error.name} ${code}`
}
