import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture } from '../run.mjs'
import { filesOf } from './files.mjs'

/** Whether bash can read each shell script; one with a slip in its last line would otherwise run up to there. @type {import('./check.mjs').Check} */
export const shell = {
  name: 'Shell scripts',
  async faults(root) {
    const scripts = (await filesOf(root)).filter((file) => file.endsWith('.sh') || isShell(join(root, file)))
    const results = await Promise.all(scripts.map((file) => capture('bash', ['-n', file], { cwd: root })))
    return results.flatMap(({ code, output }) => (code === 0 ? [] : [output.trim()]))
  },
}

/** @param {string} path */
function isShell(path) {
  return /^#!.*\b(ba|da)?sh\b/.test(readFileSync(path).subarray(0, 64).toString('latin1'))
}
