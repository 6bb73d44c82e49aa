import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pnpm, QUIET } from './install.mjs'
import { ROOT, workspaceFolders } from './root.mjs'
import { must } from './run.mjs'
import { step } from './step.mjs'

const MARK = join(ROOT, 'node_modules/.chatbox-built')
const SHARED = ['package.json', 'pnpm-lock.yaml', 'turbo.json', 'tsconfig.base.json']

const NOT_COMPARED = new Set(['node_modules', 'test', '.turbo'])

/** Builds what changed. When no file has changed since the last build, not even turbo is asked. */
export async function ensureBuilt() {
  const before = state()
  if (existsSync(MARK) && readFileSync(MARK, 'utf8') === mark(before.sources, before.built)) return
  const { command, args } = pnpm()
  await step('Building what changed', () =>
    must(command, [...args, 'exec', 'turbo', 'run', 'build', '--output-logs=errors-only'], { env: QUIET }),
  )
  // A source saved while the build ran may not be in it: the sources count as they were before.
  await writeFile(MARK, mark(before.sources, state().built))
}

/**
 * @param {string} sources
 * @param {string} built
 */
function mark(sources, built) {
  return `${sources}\n${built}\n`
}

/** Names, sizes and times of every file that goes into the build, and of every file that came out of it. */
function state() {
  const sources = createHash('sha256')
  const built = createHash('sha256')
  for (const file of SHARED) sources.update(facts(file))
  for (const file of workspaceFolders().flatMap(filesIn))
    (file.includes('/dist/') ? built : sources).update(facts(file))
  return { sources: sources.digest('hex'), built: built.digest('hex') }
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function filesIn(folder) {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true }).filter(({ name }) => !NOT_COMPARED.has(name))
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesIn(`${folder}/${entry.name}`) : `${folder}/${entry.name}`))
}

/** @param {string} file */
function facts(file) {
  const { size, mtimeMs } = statSync(join(ROOT, file))
  return `${file} ${size} ${mtimeMs}\n`
}
