import { parseArgs } from 'node:util'
import { ConfigError, type Fault, faultLine } from './fault.ts'
import { type Help, helpText } from './help.ts'
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
  /** What `--help` says around the flags: how the program is called, and which variables a newcomer should know. */
  help?: Help
  stdout?: Output
  stderr?: Output
}

export type FromCommandLine<T> = Loaded<T> | { readonly exitCode: 0 | 1 }

/**
 * The start of every main: the configuration, or the code to exit with.
 * With `--check-config` it only checks: every fault on stderr and 1, or `configuration ok` and 0 (X7). With `--help` it only tells
 * what the flags are, however wrong the rest may be.
 */
export function configFromCommandLine<T>(setting: Setting<T>, command: CommandLine): FromCommandLine<T> {
  const { stdout = process.stdout, stderr = process.stderr } = command
  try {
    const { check, help, env } = parseFlags(command)
    if (help) {
      stdout.write(helpText(setting.docs, command.flags, command.help))
      return { exitCode: 0 }
    }
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

interface Flags {
  readonly check: boolean
  readonly help: boolean
  readonly env: Record<string, string>
}

function parseFlags({ argv, flags = {} }: CommandLine): Flags {
  const options = Object.fromEntries(Object.keys(flags).map((flag) => [flag, { type: 'string' } as const]))
  // Not strict, and judged from the tokens instead: parseArgs would stop at the first fault and repeat what was typed.
  const { tokens } = parseArgs({
    args: [...argv],
    options: { ...options, 'check-config': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    strict: false,
    tokens: true,
  })
  const faults: Fault[] = []
  const env: Record<string, string> = {}
  let check = false
  let help = false
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') faults.push({ name: 'arguments', sentence: 'hold a word that belongs to no flag' })
    else if (token.name === 'check-config') check = true
    else if (token.name === 'help') help = true
    else if (!Object.hasOwn(flags, token.name)) {
      faults.push({ name: token.rawName, sentence: 'is no known flag; --help tells which there are' })
    } else if (token.value === undefined) faults.push({ name: token.rawName, sentence: 'needs a value' })
    else env[flags[token.name] ?? token.name] = token.value
  }
  if (faults.length > 0 && !help) throw new ConfigError(faults)
  return { check, help, env }
}
