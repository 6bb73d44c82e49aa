import type { Fault } from './fault.ts'

/** Stands for a value that could not be read; the reason has been reported to the source. */
export const FAULTY: unique symbol = Symbol('faulty')
export type Faulty = typeof FAULTY

export type Env = Readonly<Record<string, string | undefined>>

/** What settings read from, and report to. */
export interface Source {
  /** True with NODE_ENV=production. */
  readonly production: boolean
  /** The variable's text without surrounding blanks; a blank variable counts as not set. */
  text(name: string): string | undefined
  /** NAME as it is, or the content of the file that NAME_FILE names. */
  secret(name: string): string | undefined | Faulty
  fault(name: string, sentence: string): Faulty
  warn(name: string, sentence: string): void
}

export interface SourceReport {
  readonly faults: Fault[]
  readonly warnings: Fault[]
  /** Every variable that anybody wanted to know. */
  readonly asked: ReadonlySet<string>
}

export function createSource(env: Env, readFile: (path: string) => string): Source & SourceReport {
  const faults: Fault[] = []
  const warnings: Fault[] = []
  const asked = new Set<string>()

  function text(name: string): string | undefined {
    asked.add(name)
    const value = env[name]?.trim()
    return value === '' ? undefined : value
  }

  function fault(name: string, sentence: string): Faulty {
    faults.push({ name, sentence })
    return FAULTY
  }

  function secret(name: string): string | undefined | Faulty {
    const fileName = `${name}_FILE`
    const path = text(fileName)
    if (path === undefined) return text(name) === undefined ? undefined : env[name]
    if (text(name) !== undefined) return fault(name, `is set together with ${fileName}; keep one of the two`)
    return secretFromFile(fileName, path)
  }

  function secretFromFile(fileName: string, path: string): string | Faulty {
    let content: string
    try {
      content = readFile(path)
    } catch (error) {
      return fault(fileName, `names a file that cannot be read (${codeOf(error)})`)
    }
    const value = content.replace(/(\r?\n)+$/, '')
    return value.trim() === '' ? fault(fileName, 'names a file that is empty') : value
  }

  return {
    production: text('NODE_ENV') === 'production',
    text,
    secret,
    fault,
    warn: (name, sentence) => warnings.push({ name, sentence }),
    faults,
    warnings,
    asked,
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
