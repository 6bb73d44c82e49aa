import { mkdtemp } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { basename, join } from 'node:path'
import type { Finder } from './finder.ts'
import { aptInstall } from './lib/apt.ts'
import { isProgram, mayInstallPackages, onPath } from './lib/machine.ts'
import { onFreePort } from './lib/port.ts'
import { succeeds } from './lib/run.ts'
import { type ServerCommand, startServer } from './lib/server-process.ts'
import { foreignServer, type RunningServer, type TakenUp } from './running.ts'

export type RedisSource =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'program'; readonly path: string }
  | { readonly kind: 'docker'; readonly image: string }

/** 7.0 is the oldest that will do (sharded pub/sub). */
const IMAGE = 'redis:7.4'

/**
 * Debian and what derives from it keep the server's program in redis-tools under this name, and the package redis-server
 * adds a service that starts at once. Tests want the program alone.
 */
const IN_REDIS_TOOLS = '/usr/bin/redis-check-rdb'

export const redisFinder: Finder<RedisSource> = {
  name: 'Redis',
  advice: 'install redis-server 7 or newer, or start Docker, or set REDIS_TEST_URL to a Redis whose data may be lost',

  async look() {
    if (process.env.REDIS_TEST_URL) return { kind: 'url', url: process.env.REDIS_TEST_URL }
    const path = onPath('redis-server') ?? (isProgram(IN_REDIS_TOOLS) ? IN_REDIS_TOOLS : undefined)
    if (path) return { kind: 'program', path }
    // The client is often there without an engine; only the engine can tell.
    if (onPath('docker') && (await succeeds('docker', ['info']))) return { kind: 'docker', image: IMAGE }
    return undefined
  },

  async setUp() {
    if (!mayInstallPackages('debian')) return undefined
    return {
      what: 'apt-get install redis-tools',
      async work() {
        await aptInstall('redis-tools')
        return { kind: 'program', path: onPath('redis-server') ?? IN_REDIS_TOOLS }
      },
    }
  },

  describe(source) {
    if (source.kind === 'url') return 'the one that REDIS_TEST_URL names'
    return source.kind === 'docker' ? `Docker, ${source.image}` : source.path
  },
}

export interface RedisOptions extends TakenUp {
  /** More settings, as on redis-server's command line: `['--appendonly', 'yes']`. Nothing is persisted by default. */
  readonly args?: readonly string[]
}

export async function runRedis(source: RedisSource, options: RedisOptions = {}): Promise<RunningServer> {
  if (source.kind === 'url') return foreignServer(source.url, 6379, 'REDIS_TEST_URL')
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'chatbox-redis-')))
  const start = async (port: number): Promise<RunningServer> => {
    const command = source.kind === 'docker' ? inDocker(source.image, port, dir) : ofProgram(source.path, port, dir)
    const args = [...command.args, ...(options.args ?? [])]
    const server = await startServer({ ...command, args, ready: /Ready to accept connections/, folder: dir })
    const pid = source.kind === 'program' ? { pid: server.pid } : {}
    return { ...pid, url: `redis://127.0.0.1:${port}`, port, dir, stop: server.stop, kill: server.kill }
  }
  return options.port === undefined ? onFreePort(start) : start(options.port)
}

type Launch = Pick<ServerCommand, 'program' | 'args' | 'killCommand' | 'argv0'>

const SETTINGS = ['--save', '', '--appendonly', 'no']

function ofProgram(path: string, port: number, dir: string): Launch {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, ...SETTINGS]
  // The program goes by the name that it is called by.
  return { program: path, args, argv0: 'redis-server' }
}

function inDocker(image: string, port: number, dir: string): Launch {
  const name = basename(dir)
  const { uid, gid } = userInfo()
  const owner = uid >= 0 ? ['--user', `${uid}:${gid}`] : []
  const settings = [
    'run',
    '--rm',
    '--name',
    name,
    '--publish',
    `127.0.0.1:${port}:6379`,
    '--volume',
    `${dir}:/data`,
    ...owner,
  ]
  return {
    program: 'docker',
    args: [...settings, image, 'redis-server', ...SETTINGS],
    killCommand: `docker kill ${name}`,
  }
}
