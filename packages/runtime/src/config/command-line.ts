import { parseArgs } from 'node:util'
import { ConfigError, type Fault, faultLine } from './fault.ts'
import { type Loaded, type LoadOptions, loadConfig } from './load.ts'
import type { Setting } from './setting.ts'
import type { Env } from './source.ts'

interface Output {
  write(text: string): unknown
}

export interface CommandLine extends LoadOptions {
  /** The arguments after the program's name: process.argv.slice(2). */
  argv: readonly string[]
  env: Env
  /** Flags that stand for variables: `{ port: 'PORT' }` makes `--port 8080` win over PORT. */
  flags?: Readonly<Record<string, string>>
  stdout?: Output
  stderr?: Output
}

export type FromCommandLine<T> = Loaded<T> | { readonly exitCode: 0 | 1 }

/**
 * The start of every main: the configuration, or the code to exit with.
 * With `--check-config` it only checks: every fault on stderr and 1, or `configuration ok` and 0 (X7).
 */
export function configFromCommandLine<T>(setting: Setting<T>, command: CommandLine): FromCommandLine<T> {
  const { stdout = process.stdout, stderr = process.stderr } = command
  try {
    const { check, env } = parseFlags(command)
    const loaded = loadConfig(setting, { ...command.env, ...env }, command)
    if (!check) return loaded
    for (const warning of loaded.warnings) stderr.write(`warning: ${faultLine(warning)}\n`)
    stdout.write('configuration ok\n')
    return { exitCode: 0 }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const fault of error.faults) stderr.write(`${faultLine(fault)}\n`)
    return { exitCode: 1 }
  }
}

function parseFlags({ argv, flags = {} }: CommandLine): { check: boolean; env: Record<string, string> } {
  const options = Object.fromEntries(Object.keys(flags).map((flag) => [flag, { type: 'string' } as const]))
  // Not strict, and judged from the tokens instead: parseArgs would stop at the first fault and repeat what was typed.
  const { tokens } = parseArgs({
    args: [...argv],
    options: { ...options, 'check-config': { type: 'boolean' } },
    strict: false,
    tokens: true,
  })
  const faults: Fault[] = []
  const env: Record<string, string> = {}
  let check = false
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') faults.push({ name: 'arguments', sentence: 'hold a word that belongs to no flag' })
    else if (token.name === 'check-config') check = true
    else if (!Object.hasOwn(flags, token.name)) faults.push({ name: token.rawName, sentence: 'is no known flag' })
    else if (token.value === undefined) faults.push({ name: token.rawName, sentence: 'needs a value' })
    else env[flags[token.name] ?? token.name] = token.value
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return { check, env }
}
