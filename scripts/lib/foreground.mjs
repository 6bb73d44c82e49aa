import { spawn } from 'node:child_process'
import { ROOT } from './root.mjs'

/** @type {NodeJS.Signals[]} */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * One Ctrl-C arrives here twice: from the terminal, and from npm, which passes on what the terminal sends to all of them.
 * The same signal again within this time counts as the same key press.
 */
const ONE_PRESS_MS = 400

/**
 * Runs a Node program in the place of this one: it has the terminal, gets each signal once, and gives its exit code.
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} [env]
 * @param {number} [onePressMs]
 * @returns {Promise<number>}
 */
export function foreground(args, env = {}, onePressMs = ONE_PRESS_MS) {
  // In a process group of its own the child hears no key press but through here.
  const detached = process.platform !== 'win32'
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: 'inherit',
    detached,
  })
  /** @type {Map<NodeJS.Signals, number>} */
  const seen = new Map()

  /** @param {NodeJS.Signals} signal */
  function passOn(signal) {
    const now = performance.now()
    const last = seen.get(signal)
    if (last !== undefined && now - last < onePressMs) return
    seen.set(signal, now)
    child.kill(signal)
  }

  for (const signal of PASSED_ON) process.on(signal, passOn)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      for (const name of PASSED_ON) process.off(name, passOn)
      // Ended by a signal, so does this process: a shell then sees what it would have seen of the program itself.
      if (signal) process.kill(process.pid, signal)
      else resolve(code ?? 1)
    })
  })
}
