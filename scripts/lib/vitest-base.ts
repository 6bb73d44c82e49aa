import type { ViteUserConfig } from 'vitest/config'

// Tests read the packages' sources (export condition "source"), so that nothing has to be built first;
// those that start real processes run what `npm test` has built.
const conditions = ['source', 'node', 'import', 'module', 'default']

/** What all tests share, those of faults too. */
export const base = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['node', 'import', 'default'] } },
  test: { pool: 'forks', isolate: false, testTimeout: 20_000, hookTimeout: 60_000, restoreMocks: true },
} satisfies ViteUserConfig
