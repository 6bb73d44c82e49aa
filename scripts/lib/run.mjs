import { spawn } from 'node:child_process'
import { ROOT } from './root.mjs'
import { StepFailed } from './step.mjs'

/** npx and its like are command files on Windows, which only a shell can start. */
const shell = process.platform === 'win32'

/**
 * Runs a command to its end without showing it.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function capture(command, args, { cwd = ROOT, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      shell,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    /** @type {Buffer[]} */
    const chunks = []
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.stderr.on('data', (chunk) => chunks.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() }))
  })
}

/**
 * Runs a command that has to succeed; its output is seen when it does not.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 */
export async function must(command, args, options) {
  const { code, output } = await capture(command, args, options)
  if (code !== 0) throw new StepFailed(`${output}\n${command} ${args.join(' ')} ended with ${code}.`)
  return output
}
