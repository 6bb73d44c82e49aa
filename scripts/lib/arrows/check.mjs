import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { workspaceFolders } from '../root.mjs'
import { importsOf } from './imports.mjs'
import { broken, libraryOf } from './judge.mjs'
import { HOMES } from './rules.mjs'

/**
 * Every import and every dependency that goes against the order of packages, as `file:line rule`.
 * @param {string} root
 * @returns {string[]}
 */
export function forbiddenArrows(root) {
  const folders = workspaceFolders(root).filter((folder) => folder !== 'scripts')
  const services = new Set(
    folders.flatMap((folder) => (folder.startsWith('services/') ? [folder.slice('services/'.length)] : [])),
  )
  /** @type {Map<string, Map<string, string>>} for each library without a home the places that import it, by package */
  const homeless = new Map()
  /** @type {string[]} */
  const faults = []
  for (const folder of folders) {
    const [group, name] = /** @type {['packages' | 'services', string]} */ (folder.split('/'))
    for (const part of /** @type {const} */ (['src', 'page', 'test'])) {
      for (const file of sourcesIn(root, `${folder}/${part}`)) {
        const place = { file, group, name, part, services }
        for (const imported of importsOf(readFileSync(join(root, file), 'utf8'), file)) {
          const where = `${file}:${imported.line}`
          const rule = broken(place, imported)
          if (rule) faults.push(`${where} ${rule}`)
          if (part !== 'test' && isHomeless(imported.specifier))
            note(homeless, libraryOf(imported.specifier ?? ''), folder, where)
        }
      }
    }
    faults.push(...dependencyFaults(root, folder, { group, name, services }))
  }
  for (const [library, homes] of homeless) {
    if (homes.size < 2) continue
    const [first, ...others] = homes.values()
    for (const where of others)
      faults.push(
        `${where} ${library} is imported at ${first} already: one home each, or name both in scripts/lib/arrows/rules.mjs`,
      )
  }
  return faults
}

/**
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function sourcesIn(root, folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourcesIn(root, path)
    return /\.[mc]?ts$/.test(entry.name) ? [path] : []
  })
}

/**
 * A package.json that asks for what no file of the package may import is an arrow too.
 * @param {string} root
 * @param {string} folder
 * @param {Pick<import('./judge.mjs').Place, 'group' | 'name' | 'services'>} of
 */
function dependencyFaults(root, folder, of) {
  const file = `${folder}/package.json`
  if (!existsSync(join(root, file))) return []
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  const { dependencies = {} } = JSON.parse(lines.join('\n'))
  // What main.ts may import, the package may depend on; a library may be asked for by whoever holds one of its homes.
  return Object.keys(dependencies).flatMap((dependency) => {
    const place = { ...of, file: `${folder}/src/main.ts`, part: /** @type {const} */ ('src') }
    const rule = dependency.startsWith('@chatbox/')
      ? broken(place, { specifier: dependency, types: false, line: 0 })
      : HOMES[dependency]?.every((home) => !holdsHome(folder, home)) &&
        `${dependency} has its home in ${HOMES[dependency]?.join(', ')}`
    if (!rule) return []
    return [`${file}:${lines.findIndex((line) => line.includes(`"${dependency}"`)) + 1} ${rule}`]
  })
}

/**
 * @param {string} folder
 * @param {string} home
 */
function holdsHome(folder, home) {
  return home.startsWith(`${folder}/`) || folder.startsWith(`${home}/`)
}

/** @param {string | undefined} specifier */
function isHomeless(specifier) {
  if (specifier === undefined || /^(\.|node:|@chatbox\/)/.test(specifier)) return false
  return !builtinModules.includes(specifier) && HOMES[libraryOf(specifier)] === undefined
}

/**
 * @param {Map<string, Map<string, string>>} homeless
 * @param {string} library
 * @param {string} folder
 * @param {string} where
 */
function note(homeless, library, folder, where) {
  const homes = homeless.get(library) ?? new Map()
  if (!homes.has(folder)) homes.set(folder, where)
  homeless.set(library, homes)
}
