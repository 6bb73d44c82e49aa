import { fileURLToPath } from 'node:url'
import { runNode } from '@chatbox/testkit/process'

const START_MS = 180_000

/** One of our services as it is deployed: a process of its own. */
export interface Service {
  readonly pid: number
  /** Where a part of it listens, as it has said in its log. */
  addressOf(part: string): string
  /** In order, so that a profile is written. */
  stop(): Promise<void>
  /** SIGKILL, as a machine that fails. */
  kill(): Promise<void>
}

/** Resolves when it serves. `nodeOptions` are those of Node, such as `--cpu-prof`. */
export async function startService(
  name: 'edge' | 'storage' | 'worker',
  env: NodeJS.ProcessEnv,
  nodeOptions: readonly string[] = [],
): Promise<Service> {
  const main = fileURLToPath(new URL(`../../../../services/${name}/dist/main.js`, import.meta.url))
  const [first = main, ...args] = [...nodeOptions, main]
  const running = runNode(first, { args, env, waitMs: START_MS })
  await running.waitForOutput(/start-up complete/)
  const ended = async (signal: 'SIGTERM' | 'SIGKILL') => {
    running.kill(signal)
    await running.exited
  }
  return {
    pid: running.pid,
    addressOf(part) {
      const [, address] = new RegExp(`"part":"${part}","address":"([^"]+)"`).exec(running.output()) ?? []
      if (address === undefined) throw new Error(`${name} has not said where its part ${part} listens`)
      return address
    },
    stop: () => ended('SIGTERM'),
    kill: () => ended('SIGKILL'),
  }
}
