import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { defaultHashKey } from '@chatbox/crypto'
import { killAll, type RunningProcess, runNode } from '@chatbox/testkit/process'
import { type RunningServer, startRedis } from '@chatbox/testkit/servers'
import { openFabric } from './fabric.ts'
import type { DialectName } from './load/dialects.ts'
import type { AdapterName } from './servers/socket-io-adapter.ts'

/** A server that runs as a process of its own. */
export interface Program {
  readonly dialect: DialectName
  readonly url: string
  readonly origin: string | undefined
  readonly pid: number
  /** Where its inspector listens, if it was started with one. */
  readonly inspector: string | undefined
  /** SIGKILL, as a machine that fails. */
  kill(): Promise<void>
}

export interface Start {
  readonly inspected?: boolean
  readonly env?: NodeJS.ProcessEnv
}

/** One Redis, and servers around it that know the same secrets. */
export interface System {
  readonly redis: RunningServer
  readonly secret: string
  readonly key: Uint8Array
  edge(start?: Start): Promise<Program>
  /** uWebSockets.js alone, with the options that the edge gives it, answering each frame with itself. */
  bare(start?: Start): Promise<Program>
  forwarder(sealed: boolean): Promise<Program>
  socketIo(adapter: AdapterName, start?: Start): Promise<Program>
  stop(): Promise<void>
}

const EDGE = fileURLToPath(new URL('../../../../services/edge/dist/main.js', import.meta.url))
const BARE = script('../embedded/bare-server.js')
const FORWARDER = script('servers/forwarder.js')
const SOCKET_IO = script('servers/socket-io.js')
const ORIGIN = 'https://chat.example.org'
const READY = /ready: (\S+)/
/** The load is the point: what keeps it away is measured where it is named. */
const UNLIMITED = '1000000'
const UNLIMITED_EDGE = {
  RATE_LIMIT_MESSAGES: UNLIMITED,
  RATE_LIMIT_REQUESTS: UNLIMITED,
  RATE_LIMIT_HANDSHAKES: UNLIMITED,
  MAX_UNAUTHENTICATED_PER_ADDRESS: UNLIMITED,
  HANDSHAKES_PER_SECOND: UNLIMITED,
}

function script(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}

export async function startSystem(): Promise<System> {
  const redis = await startRedis()
  const secret = randomBytes(48).toString('base64url')
  const key = randomBytes(32)
  const { fabric, close } = await openFabric(redis.url, key)
  // Nobody; edges let nobody in before they know.
  await fabric.disabled.replace([])
  await close()

  const environment = ({ inspected = false, env }: Start, own: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
    PATH: process.env.PATH,
    REDIS_URL: redis.url,
    JWT_SECRET: secret,
    ...(inspected && { NODE_OPTIONS: '--inspect=127.0.0.1:0' }),
    ...own,
    ...env,
  })
  function programOf(running: RunningProcess, dialect: DialectName, url: string, origin?: string): Program {
    return {
      dialect,
      url,
      origin,
      pid: running.pid,
      inspector: /ws:\/\/\S+/.exec(running.output())?.[0],
      async kill() {
        running.kill('SIGKILL')
        await running.exited
      },
    }
  }
  async function helper(
    path: string,
    dialect: DialectName,
    start: Start,
    own: NodeJS.ProcessEnv = {},
  ): Promise<Program> {
    const running = runNode(path, { env: environment(start, own) })
    const [, url = ''] = await running.waitForOutput(READY)
    return programOf(running, dialect, url)
  }

  return {
    redis,
    secret,
    key,
    async edge(start = {}) {
      const own = {
        HOST: '127.0.0.1',
        PORT: '0',
        OPS_PORT: '0',
        ENCRYPTION_KEY: key.toString('base64'),
        HASH_KEY: Buffer.from(defaultHashKey(key)).toString('base64'),
        WS_ALLOWED_ORIGINS: ORIGIN,
        ...UNLIMITED_EDGE,
      }
      const running = runNode(EDGE, { env: environment(start, own) })
      const [, url = ''] = await running.waitForOutput(/"part":"edge","address":"([^"]+)"/)
      await running.waitForOutput(/start-up complete/)
      return programOf(running, 'chatbox', url, ORIGIN)
    },
    bare: (start = {}) => helper(BARE, 'echo', start),
    forwarder: (sealed) => helper(FORWARDER, 'echo', {}, sealed ? { FORWARDER_KEY: key.toString('base64') } : {}),
    socketIo: (adapter, start = {}) => helper(SOCKET_IO, 'socket.io', start, { ADAPTER: adapter }),
    async stop() {
      await killAll()
      await redis.stop()
    },
  }
}

/** Runs the work with a system of its own, and ends whatever it started, also when it is interrupted. */
export async function withSystem(work: (system: System) => Promise<void>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void killAll().then(() => process.exit(1)))
  }
  const system = await startSystem()
  try {
    await work(system)
  } finally {
    await system.stop()
  }
}

export const targetOf = ({ dialect, url, origin }: Program) => ({ dialect, url, origin })
