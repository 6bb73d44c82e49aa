import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../lib/root.mjs'

const LIB = join(ROOT, 'scripts/test/lib')

/** Starts the program behind foreground(), and hands out what it says line by line. */
function start(end: 'code' | 'signal'): { front: ChildProcess; line(): Promise<string> } {
  const args = [join(LIB, 'runs-in-front.mjs'), join(LIB, 'counts-signals.mjs'), end]
  const front = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void front.kill('SIGTERM'))
  const lines = createInterface({ input: front.stdout })[Symbol.asyncIterator]()
  return { front, line: async () => (await lines.next()).value }
}

/** Two presses of a key are further apart than the two copies of one. */
const BETWEEN_PRESSES_MS = 500

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
    await delay(BETWEEN_PRESSES_MS)
    expect(front.exitCode ?? front.signalCode).toBeNull()
    front.kill('SIGINT')
    expect(await line()).toBe('interrupt 2')
    expect(await ended).toEqual(end === 'code' ? [7, null] : [null, 'SIGKILL'])
  },
)
