import { relative, resolve, sep } from 'node:path'
import { ROOT } from './root.mjs'

/** @typedef {'redis' | 'chromium' | 'mongo'} ServerName */

/** @type {readonly ServerName[]} */
export const ALL_SERVERS = ['redis', 'chromium', 'mongo']

/**
 * Which servers the tests of a folder talk to. What is not named here may need any.
 * @type {Readonly<Record<string, readonly ServerName[]>>}
 */
export const NEEDS = {
  'packages/client': [],
  'packages/core': [],
  'packages/crypto': [],
  'packages/distributed': [],
  'packages/memory': [],
  'packages/mongo': ['mongo'],
  'packages/protocol': [],
  'packages/redis': ['redis'],
  'packages/runtime': [],
  'packages/sqlite': [],
  'packages/widget': ['chromium'],
  'services/edge': [],
  'services/embedded': ['redis', 'chromium', 'mongo'],
  'services/storage': [],
  'services/worker': [],
  scripts: [],
}

/** Arguments of vitest whose next one is their value. */
const WITH_VALUE = ['-t', '--testNamePattern']

/**
 * The servers that the tests at these paths need; all of them where no path says less.
 * @param {readonly string[]} args those for vitest
 * @returns {readonly ServerName[]}
 */
export function serversNeeded(args) {
  const paths = args.filter((arg, i) => !arg.startsWith('-') && !WITH_VALUE.includes(args[i - 1] ?? ''))
  if (paths.length === 0) return ALL_SERVERS
  const needed = paths.flatMap((path) => needsOf(path) ?? ALL_SERVERS)
  return ALL_SERVERS.filter((name) => needed.includes(name))
}

/** @param {string} path */
function needsOf(path) {
  const inside = relative(ROOT, resolve(ROOT, path)).split(sep).join('/')
  const folder = Object.keys(NEEDS).find((name) => inside === name || inside.startsWith(`${name}/`))
  return folder === undefined ? undefined : NEEDS[folder]
}
