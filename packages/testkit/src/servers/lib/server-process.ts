import { spawn } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { tether } from './tether.ts'

/** A server that ended, or said nothing, before it was ready; the message holds the end of what it printed. */
export class ServerFailed extends Error {
  readonly portTaken: boolean
  /** What is left of a server that was killed still holds the folder, and lets go of it in a moment. */
  readonly folderHeld: boolean

  constructor(message: string) {
    super(message)
    this.portTaken = /address already in use|address in use|EADDRINUSE|port is already allocated/i.test(message)
    this.folderHeld = /pre-existing shared memory block/.test(message)
  }
}

export interface ServerCommand {
  readonly program: string
  readonly args: readonly string[]
  /** The name that the program is told it was called by, where that is not its own. */
  readonly argv0?: string
  /** What the server prints once it takes connections. */
  readonly ready: RegExp
  /** The server's data: removed when it is stopped, kept when it is killed. */
  readonly folder?: string
  /** How the server is asked to end; SIGTERM by default. */
  readonly stopSignal?: NodeJS.Signals
  /** Shell command that ends the server at once, where a signal to the program does not do it. */
  readonly killCommand?: string
}

export interface ServerProcess {
  readonly pid: number
  /** Ends the server in order, and removes its folder. Stopping twice is harmless. */
  stop(): Promise<void>
  /** Ends the server as a crash would, and leaves its folder. */
  kill(): Promise<void>
}

const READY_WITHIN_MS = 30_000
const STOP_WITHIN_MS = 5_000
const KEPT_OUTPUT = 4_000

/** Starts a server and waits until it says that it is ready. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const { program, args, folder, stopSignal = 'SIGTERM' } = command
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], argv0: command.argv0 ?? program })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const endAtOnce = command.killCommand ?? `kill -9 ${child.pid}`
  const untie = child.pid === undefined ? () => undefined : tether(endAtOnce, folder)

  async function kill(): Promise<void> {
    if (command.killCommand) spawn('/bin/sh', ['-c', command.killCommand], { stdio: 'ignore' })
    else child.kill('SIGKILL')
    await ended
    untie()
  }

  async function stop(): Promise<void> {
    child.kill(stopSignal)
    const late = setTimeout(() => void kill(), STOP_WITHIN_MS)
    await ended
    clearTimeout(late)
    untie()
    if (folder) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }

  const readiness = new Promise<void>((resolve, reject) => {
    let printed = ''
    const late = setTimeout(() => fail(`was not ready within ${READY_WITHIN_MS / 1000} s`), READY_WITHIN_MS)
    function fail(how: string): void {
      clearTimeout(late)
      reject(new ServerFailed(`${program} ${args.join(' ')} ${how}\n${printed}`))
    }
    function read(chunk: Buffer): void {
      // Looked at together with what came before, because a line may arrive in two pieces.
      printed = `${printed}${chunk}`.slice(-KEPT_OUTPUT)
      if (!command.ready.test(printed)) return
      clearTimeout(late)
      resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', (error) => fail(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => fail(`ended (${code ?? signal}) before it was ready`))
  })

  let stopping: Promise<void> | undefined
  const server = {
    pid: child.pid ?? 0,
    kill,
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
  try {
    await readiness
  } catch (error) {
    // Whoever tries again needs the folder.
    const again = error instanceof ServerFailed && (error.portTaken || error.folderHeld)
    await (again ? kill() : server.stop())
    throw error
  }
  return server
}
