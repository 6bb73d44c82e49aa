import { execFile } from 'node:child_process'

/** A command that had to succeed and did not; its message holds the end of what it printed. */
export class CommandFailed extends Error {}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** What the command reads. */
  readonly input?: string
  /** A command that hangs (on a network that swallows packets, say) ends after this. Twenty minutes by default. */
  readonly timeoutMs?: number
}

/** Runs a command to its end and returns what it printed. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { cwd, env = {}, input, timeoutMs = 1_200_000 } = options
  return new Promise((resolve, reject) => {
    const settings = { cwd, env: { ...process.env, ...env }, timeout: timeoutMs, maxBuffer: 2 ** 26 }
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const why = error.killed ? `did not end within ${timeoutMs / 1000} s` : `failed (${error.code ?? error.signal})`
      const printed = `${stdout}${stderr}`.trim().split('\n').slice(-20).join('\n')
      reject(new CommandFailed(`${command} ${args.join(' ')} ${why}\n${printed}`, { cause: error }))
    })
    child.stdin?.end(input)
  })
}

/** Whether a command succeeds; one that is not there does not. */
export function succeeds(command: string, args: readonly string[], timeoutMs = 10_000): Promise<boolean> {
  return run(command, args, { timeoutMs }).then(
    () => true,
    () => false,
  )
}
