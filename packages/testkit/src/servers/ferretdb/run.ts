import { randomBytes } from 'node:crypto'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { onFreePort } from '../lib/port.ts'
import { run } from '../lib/run.ts'
import { ServerFailed, type ServerProcess, startServer } from '../lib/server-process.ts'
import type { RunningServer, TakenUp } from '../running.ts'
import { asPostgres, DATA, POSTGRES_BIN, TEMPLATE } from './postgres.ts'

const FOLDER_FREE_WITHIN_MS = 10_000

/** Starts PostgreSQL on a copy of the template, and FerretDB in front of it. */
export async function runFerretDb(folder: string, options: TakenUp): Promise<RunningServer> {
  const root = join(folder, 'root')
  const dir = options.dir ?? (await copyOfTemplate(root))
  const inside = dir.slice(root.length)
  const [postgres, postgresPort] = await onFreePort(async (port) => {
    const [program, args] = asPostgres(root, `${POSTGRES_BIN}/postgres`, '-D', inside, '-p', String(port))
    // SIGTERM would wait for FerretDB to hang up.
    const ready = /database system is ready to accept connections/
    const command = { program, args, ready, folder: dir, stopSignal: 'SIGINT' as const }
    return [await onceFolderIsFree(() => startServer(command)), port] as const
  }, options.port)
  try {
    const start = (port: number) => startFerretDb(join(folder, 'ferretdb'), port, postgresPort)
    const [ferretDb, port] = await (options.port === undefined ? onFreePort(start) : start(options.port))
    return {
      // Whoever stops it stops what clients talk to.
      pid: ferretDb.pid,
      url: `mongodb://127.0.0.1:${port}/`,
      port,
      dir,
      async stop() {
        await ferretDb.stop()
        await postgres.stop()
      },
      async kill() {
        // A stop is a kill for this one, and takes its folder with it: what comes back makes a new one.
        await Promise.all([ferretDb.stop(), postgres.kill()])
      },
    }
  } catch (error) {
    await postgres.stop()
    throw error
  }
}

/** The children of a PostgreSQL that was killed notice it a moment later. */
async function onceFolderIsFree<T>(start: () => Promise<T>): Promise<T> {
  const until = Date.now() + FOLDER_FREE_WITHIN_MS
  for (;;) {
    try {
      return await start()
    } catch (error) {
      if (!(error instanceof ServerFailed) || !error.folderHeld || Date.now() > until) throw error
      await pause(100)
    }
  }
}

async function copyOfTemplate(root: string): Promise<string> {
  const dir = join(root, DATA, `run-${randomBytes(6).toString('hex')}`)
  await run('cp', ['-a', '--reflink=auto', join(root, TEMPLATE), dir])
  return dir
}

async function startFerretDb(program: string, port: number, postgresPort: number): Promise<[ServerProcess, number]> {
  const state = await mkdtemp(join(tmpdir(), 'chatbox-ferretdb-'))
  const args = [
    `--postgresql-url=postgres://postgres@127.0.0.1:${postgresPort}/postgres`,
    `--listen-addr=127.0.0.1:${port}`,
    '--debug-addr=-',
    `--state-dir=${state}`,
    '--no-auth',
    '--telemetry=disable',
  ]
  // It keeps nothing, and asked kindly it waits three seconds for its clients to leave.
  const stopSignal = 'SIGKILL'
  return [await startServer({ program, args, ready: /Listening on TCP/, folder: state, stopSignal }), port]
}
