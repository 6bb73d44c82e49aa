import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { base } from './scripts/lib/vitest-base.ts'

const ALL = ['{packages,services}/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts']
const ALONE = alone()

export default defineConfig({
  ...base,
  test: {
    ...base.test,
    // The default leaves a core free, which on two cores is half of them; tests wait for servers more than they compute.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    projects: [
      {
        extends: true,
        // Files share their worker's modules, which are then read once by each worker instead of once by each file: a third of all the
        // time. So no file may change what it imports, or leave anything running behind.
        test: { name: 'shared', include: ALL, exclude: ALONE },
      },
      {
        extends: true,
        // A pooled connection of another file would set its timers on a clock that is held here, and be counted; and what another file
        // has imported already can't be replaced.
        test: { name: 'alone', include: ALONE, isolate: true },
      },
    ],
  },
})

/** The files that hold the clock, or change what they import. */
function alone(): string[] {
  const root = import.meta.dirname
  return ['packages', 'services']
    .flatMap((group) => readdirSync(`${root}/${group}`).map((name) => `${group}/${name}/test`))
    .filter((folder) => existsSync(`${root}/${folder}`))
    .flatMap((folder) => readdirSync(`${root}/${folder}`, { recursive: true }).map((file) => `${folder}/${file}`))
    .filter(
      (file) => file.endsWith('.test.ts') && /useFakeTimers|vi\.mock\(/.test(readFileSync(`${root}/${file}`, 'utf8')),
    )
}
