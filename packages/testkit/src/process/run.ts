import { type ChildProcess, spawn } from 'node:child_process'

export interface RunningProcess {
  readonly pid: number
  /** Everything it wrote so far, both streams. */
  output(): string
  /** The first match in what it writes, from the start. Rejects when it ends without it. */
  waitForOutput(pattern: RegExp): Promise<RegExpExecArray>
  /** Sends a signal; the process need not listen. */
  kill(signal: NodeJS.Signals): void
  /** How it ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export interface RunOptions {
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly waitMs?: number
}

/** Starts a Node program of ours as a real process. Whoever starts it ends it; `killAll` is for an `afterEach`. */
export function runNode(script: string, options: RunOptions = {}): RunningProcess {
  const { args = [], env = process.env, cwd, waitMs = 20_000 } = options
  const child: ChildProcess = spawn(process.execPath, [script, ...args], {
    env,
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  let ended = false
  const waiters = new Set<() => void>()
  const wake = () => {
    for (const waiter of [...waiters]) waiter()
  }
  const gather = (chunk: Buffer) => {
    text += chunk.toString('utf8')
    wake()
  }
  child.stdout?.on('data', gather)
  child.stderr?.on('data', gather)
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject)
    // `close` comes after the last of the output.
    child.once('close', (code, signal) => {
      ended = true
      running.delete(child)
      resolve({ code, signal })
      wake()
    })
  })
  running.add(child)

  return {
    pid: child.pid ?? 0,
    output: () => text,
    waitForOutput: (pattern) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(timer)
          waiters.delete(check)
          settle()
        }
        const check = () => {
          const match = new RegExp(pattern.source, pattern.flags.replace('g', '')).exec(text)
          if (match) finish(() => resolve(match))
          else if (ended) finish(() => reject(new Error(`the process ended before it wrote ${pattern}:\n${text}`)))
        }
        const timer = setTimeout(
          () => finish(() => reject(new Error(`waited ${waitMs} ms for ${pattern} in:\n${text}`))),
          waitMs,
        )
        waiters.add(check)
        check()
      }),
    kill: (signal) => void child.kill(signal),
    exited,
  }
}

const running = new Set<ChildProcess>()

/** Ends everything that `runNode` started and that is still there. */
export async function killAll(): Promise<void> {
  await Promise.all(
    [...running].map(
      (child) =>
        new Promise<void>((resolve) => {
          child.once('close', () => resolve())
          child.kill('SIGKILL')
        }),
    ),
  )
}
