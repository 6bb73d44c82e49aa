import { defineConfig } from 'vitest/config'
import { FAULT_TESTS } from './lib/faults.mjs'
import { base } from './lib/vitest-base.ts'

// One file at a time: what these tests kill, and the load they make, would disturb each other.
export default defineConfig({
  ...base,
  root: new URL('..', import.meta.url).pathname,
  test: {
    ...base.test,
    include: [FAULT_TESTS],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
