import { join } from 'node:path'
import { ensureBuilt } from './build.mjs'
import { ensureInstalled } from './install.mjs'
import { alone } from './lock.mjs'
import { ROOT } from './root.mjs'

/**
 * Installs and builds what changed since the last time.
 * @param {{ build?: boolean }} [what]
 */
export async function ready({ build = true } = {}) {
  await alone(join(ROOT, 'node_modules/.chatbox-lock'), async () => {
    await ensureInstalled()
    if (build) await ensureBuilt()
  })
}
