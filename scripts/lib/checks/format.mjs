import { join } from 'node:path'
import { ROOT } from '../root.mjs'
import { capture } from '../run.mjs'

/** Formatting and lint, by Biome, with the rules in biome.json. @type {import('./check.mjs').Check} */
export const format = {
  name: 'Format and lint',
  async faults(root) {
    const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome')
    const { code, output } = await capture(
      process.execPath,
      [biome, 'check', '--error-on-warnings', '--colors=off', '.'],
      { cwd: root },
    )
    return code === 0 ? [] : [output.trim(), 'Most of it is put right by: npm run format']
  },
}
