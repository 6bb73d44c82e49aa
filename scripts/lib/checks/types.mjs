import { join } from 'node:path'
import { ROOT } from '../root.mjs'
import { capture } from '../run.mjs'

/** Types of every source, test, page and script at once. @type {import('./check.mjs').Check} */
export const types = {
  name: 'Types',
  async faults(root) {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { code, output } = await capture(process.execPath, [tsc, '-p', 'tsconfig.json', '--pretty', 'false'], {
      cwd: root,
    })
    return code === 0 ? [] : [output.trim()]
  },
}
