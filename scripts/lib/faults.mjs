import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, workspaceFolders } from './root.mjs'

/** Where vitest finds the tests that end servers and processes in the middle of things; they run apart from the others. */
export const FAULT_TESTS = '{packages/*,services/*,scripts}/test/**/*.faults.ts'

/** Whether there are any fault tests yet. */
export function anyFaultTests() {
  return workspaceFolders().some((folder) => holdsOne(join(ROOT, folder, 'test')))
}

/**
 * @param {string} folder
 * @returns {boolean}
 */
function holdsOne(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true }).some((entry) =>
      entry.isDirectory() ? holdsOne(join(folder, entry.name)) : entry.name.endsWith('.faults.ts'),
    )
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return false
    throw error
  }
}
