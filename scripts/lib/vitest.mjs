import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { foreground } from './foreground.mjs'
import { ROOT } from './root.mjs'

const REPORTER = join(ROOT, 'scripts/lib/totals-reporter.mjs')

/**
 * Runs vitest in the foreground and ends with the line `N passed, N failed`.
 * @param {readonly string[]} args
 * @param {Record<string, string | undefined>} [env]
 * @returns {Promise<number>} its exit code
 */
export async function vitest(args, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'chatbox-totals-'))
  const totals = join(folder, 'totals.json')
  const shown = args.some((arg) => arg.startsWith('--reporter')) ? [] : ['--reporter=default']
  try {
    const code = await foreground(
      [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...shown, `--reporter=${REPORTER}`, ...args],
      { ...env, CHATBOX_TEST_TOTALS: totals },
    )
    if (!existsSync(totals)) return code || 1
    const { passed, failed, skipped } = JSON.parse(readFileSync(totals, 'utf8'))
    console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
    return failed > 0 ? code || 1 : code
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
