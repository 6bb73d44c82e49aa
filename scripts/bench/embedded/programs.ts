import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { signToken } from '@chatbox/runtime'
import { killAll, type RunningProcess, runNode } from '@chatbox/testkit/process'

/** A server that runs as a process of its own. */
export interface Program {
  readonly url: string
  readonly pid: number
  /** Where its inspector listens, if it was started with one. */
  readonly inspector: string | undefined
  /** What the program takes somebody for one of its users by. */
  token(user: string): Promise<string>
  stop(): Promise<void>
}

export interface Start {
  readonly inspected?: boolean
}

const MAIN = fileURLToPath(new URL('../../../../services/embedded/dist/main.js', import.meta.url))
const BARE = fileURLToPath(new URL('bare-server.js', import.meta.url))
const HOUR_MS = 3_600_000
const MORE_THAN_ANYONE_SENDS = '1000000'

/** What `npm start` runs: real clocks, a database file, sealing. Its limits are raised, because the load is the point. */
export async function startEmbedded(start: Start = {}): Promise<Program> {
  const secret = randomBytes(32).toString('base64url')
  const data = mkdtempSync(join(tmpdir(), 'chatbox-bench-'))
  const running = runNode(MAIN, {
    args: ['--port', '0', '--data', data],
    env: {
      ...environment(start),
      JWT_SECRET: secret,
      HANDSHAKES_PER_SECOND: MORE_THAN_ANYONE_SENDS,
      RATE_LIMIT_MESSAGES: MORE_THAN_ANYONE_SENDS,
    },
  })
  const [, url = ''] = await running.waitForOutput(/Chatbox is ready: +(\S+)/)
  return {
    url,
    pid: running.pid,
    inspector: inspectorOf(running),
    token: (user) => signToken({ secret, userId: user, ttlMs: HOUR_MS }),
    async stop() {
      running.kill('SIGKILL')
      await running.exited
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** uWebSockets.js alone, with the options that the edge gives it, answering each frame with itself. */
export async function startBare(start: Start = {}): Promise<Program> {
  const running = runNode(BARE, { env: environment(start) })
  const [, url = ''] = await running.waitForOutput(/ready: (\S+)/)
  return {
    url,
    pid: running.pid,
    inspector: inspectorOf(running),
    token: async (user) => user,
    async stop() {
      running.kill('SIGKILL')
      await running.exited
    },
  }
}

const environment = ({ inspected = false }: Start): NodeJS.ProcessEnv => ({
  ...process.env,
  ...(inspected && { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --inspect=127.0.0.1:0` }),
})

/** Written before anything of the program itself. */
const inspectorOf = (running: RunningProcess): string | undefined => /ws:\/\/\S+/.exec(running.output())?.[0]

/** Whoever interrupts a benchmark must not be left with its servers. */
export function stopWithUs(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void killAll().then(() => process.exit(1)))
  }
}
