import { writeFileSync } from 'node:fs'

/**
 * Counts what a run of vitest came to, for the line that ends `npm test`. What failed without being a test (a file that
 * does not load, a rejection that nobody handled) counts as one failure each: the line never says less than the exit code.
 * @implements {Partial<import('vitest/node').Reporter>}
 */
export default class TotalsReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    const totals = { passed: 0, failed: unhandled.length, skipped: 0 }
    for (const module of modules) {
      let failed = 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') totals.passed += 1
        else if (state === 'failed') failed += 1
        else totals.skipped += 1
      }
      totals.failed += failed === 0 && !module.ok() ? 1 : failed
    }
    const file = process.env.CHATBOX_TEST_TOTALS
    if (file) writeFileSync(file, JSON.stringify(totals))
  }
}
