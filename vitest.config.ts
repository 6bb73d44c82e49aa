import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// Tests read the packages' sources (export condition "source"), so that nothing has to be built first;
// those that start real processes run what `npm test` has built.
const conditions = ['source', 'node', 'import', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['node', 'import', 'default'] } },
  test: {
    include: ['{packages,services}/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'],
    pool: 'forks',
    // Files share their worker's modules, which are then read once by each worker instead of once by each file: a third of all the
    // time. So no file may change what it imports, or leave anything running behind.
    isolate: false,
    // The default leaves a core free, which on two cores is half of them; tests wait for servers more than they compute.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    testTimeout: 20_000,
    hookTimeout: 60_000,
    restoreMocks: true,
  },
})
