import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runFerretDb } from './ferretdb/run.ts'
import { FERRETDB, ferretDbFolder, ferretDbPossible, setUpFerretDb } from './ferretdb/set-up.ts'
import type { Finder } from './finder.ts'
import { onPath } from './lib/machine.ts'
import { onFreePort } from './lib/port.ts'
import { startServer } from './lib/server-process.ts'
import { downloadedMongod, downloadMongod, mongodDownloads } from './mongod-download.ts'
import { foreignServer, type RunningServer, type TakenUp } from './running.ts'

export type MongoSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'mongod'; readonly path: string }
  | { readonly kind: 'ferretdb'; readonly folder: string }

export const mongoFinder: Finder<MongoSource> = {
  name: 'MongoDB',
  advice:
    'install mongod 7 or newer, or set MONGODB_TEST_URI to a MongoDB whose data may be lost; where MongoDB cannot be downloaded, root on Debian with Go 1.25 or newer can put together a server that speaks its protocol',

  async look() {
    if (process.env.MONGODB_TEST_URI) return { kind: 'url', url: process.env.MONGODB_TEST_URI }
    const path = onPath('mongod') ?? downloadedMongod()
    if (path) return { kind: 'mongod', path }
    const folder = ferretDbFolder()
    return existsSync(folder) ? { kind: 'ferretdb', folder } : undefined
  },

  async setUp() {
    if (await mongodDownloads()) {
      return { what: 'downloading mongod', work: async () => ({ kind: 'mongod', path: await downloadMongod() }) }
    }
    if (!ferretDbPossible()) return undefined
    return {
      what: `putting together ${FERRETDB}, about two minutes, once`,
      work: async () => ({ kind: 'ferretdb', folder: await setUpFerretDb() }),
    }
  },

  describe(source) {
    if (source.kind === 'url') return 'the one that MONGODB_TEST_URI names'
    return source.kind === 'mongod' ? source.path : `${FERRETDB}, ${source.folder}`
  },
}

export async function runMongo(source: MongoSource, options: TakenUp = {}): Promise<RunningServer> {
  if (source.kind === 'url') return foreignServer(source.url, 27017, 'MONGODB_TEST_URI')
  if (source.kind === 'ferretdb') return runFerretDb(source.folder, options)
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'chatbox-mongo-')))
  const start = async (port: number): Promise<RunningServer> => {
    const args = ['--dbpath', dir, '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket']
    const server = await startServer({ program: source.path, args, ready: /Waiting for connections/, folder: dir })
    return { pid: server.pid, url: `mongodb://127.0.0.1:${port}/`, port, dir, stop: server.stop, kill: server.kill }
  }
  return options.port === undefined ? onFreePort(start) : start(options.port)
}
