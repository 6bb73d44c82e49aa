import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../run.mjs'

/**
 * The files that are or could be committed: tracked ones, and new ones that no rule of .gitignore keeps out.
 * @param {string} root
 * @returns {Promise<string[]>}
 */
export async function filesOf(root) {
  const listed = await must('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  return listed
    .split('\0')
    .filter((file) => file !== '' && existsSync(join(root, file)) && statSync(join(root, file)).isFile())
}
