import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@chatbox/testkit/folders'
import { expect, onTestFinished, test } from 'vitest'
import { ROOT } from '../lib/root.mjs'
import { capture } from '../lib/run.mjs'

/** What a run of vitest over the given test files comes to, by the reporter that `npm test` uses. */
async function totals(files: Readonly<Record<string, string>>) {
  const root = temporaryFolder('totals-test')
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [name, source] of Object.entries(files)) writeFileSync(join(root, name), source)
  const file = join(root, 'totals.json')
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
  const reporter = join(ROOT, 'scripts/lib/totals-reporter.mjs')
  const args = [vitest, 'run', `--root=${root}`, '--globals', `--reporter=${reporter}`]
  const { code } = await capture(process.execPath, args, { cwd: root, env: { CHATBOX_TEST_TOTALS: file } })
  return { code, ...JSON.parse(readFileSync(file, 'utf8')) }
}

test('passed, failed and skipped tests are counted over all files', async () => {
  const result = await totals({
    'a.test.ts': "test('passes', () => {})\ntest('passes too', () => {})\ntest.skip('is skipped', () => {})",
    'b.test.ts': "test('fails', () => { throw new Error('on purpose') })\ntest('passes', () => {})",
  })
  expect(result).toEqual({ code: 1, passed: 3, failed: 1, skipped: 1 })
})

test('what fails without being a test is counted as failed', async () => {
  const result = await totals({
    'loads-not.test.ts': "throw new Error('on purpose')",
    'rejects.test.ts': "test('passes', () => { Promise.reject(new Error('on purpose')) })",
  })
  expect(result).toEqual({ code: 1, passed: 1, failed: 2, skipped: 0 })
})
