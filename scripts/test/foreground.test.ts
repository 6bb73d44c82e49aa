import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../lib/root.mjs'

/** Long, so that a busy machine does not make one press look like two. */
const ONE_PRESS_MS = 1500

const LIB = join(ROOT, 'scripts/test/lib')

/** Starts the program behind foreground(), and hands out what it says line by line. */
function start(end: 'code' | 'signal'): { front: ChildProcess; line(): Promise<string> } {
  const args = [join(LIB, 'runs-in-front.mjs'), String(ONE_PRESS_MS), join(LIB, 'counts-signals.mjs'), end]
  const front = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void front.kill('SIGTERM'))
  const lines = createInterface({ input: front.stdout })[Symbol.asyncIterator]()
  return { front, line: async () => (await lines.next()).value }
}

test.each(['code', 'signal'] as const)(
  'one Ctrl-C that arrives twice reaches the program once, and the next one too; its end by a %s is passed on',
  async (end) => {
    const { front, line } = start(end)
    const ended = once(front, 'exit')
    expect(await line()).toBe('ready')
    front.kill('SIGINT')
    expect(await line()).toBe('interrupt 1')
    // What npm passes on of the same key press.
    front.kill('SIGINT')
    await delay(ONE_PRESS_MS + 100)
    expect(front.exitCode ?? front.signalCode).toBeNull()
    front.kill('SIGINT')
    expect(await line()).toBe('interrupt 2')
    expect(await ended).toEqual(end === 'code' ? [7, null] : [null, 'SIGKILL'])
  },
)
