import { builtinModules } from 'node:module'
import { COMPOSES_SERVICES, HOMES, IN_A_SERVICE, PACKAGES, TESTS_ONLY } from './rules.mjs'

/**
 * Where a file stands.
 * @typedef {object} Place
 * @property {string} file relative to the root, with forward slashes
 * @property {'packages' | 'services'} group
 * @property {string} name
 * @property {'src' | 'page' | 'test'} part
 * @property {ReadonlySet<string>} services names of all services
 */

/**
 * The rule that an import breaks, in words; undefined when it breaks none.
 * @param {Place} place
 * @param {import('./imports.mjs').Import} imported
 * @returns {string | undefined}
 */
export function broken(place, { specifier, types }) {
  if (specifier === undefined) {
    return place.part === 'test'
      ? undefined
      : 'what is imported is worked out at run time, so nobody can say which arrow it is: import a literal'
  }
  if (specifier.startsWith('.')) return leaves(place, specifier)
  if (specifier.startsWith('@chatbox/')) return arrow(place, specifier.split('/')[1] ?? '', types)
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) return builtin(place, specifier)
  return vendor(place, specifier)
}

/**
 * @param {Place} place
 * @param {string} specifier
 */
function leaves(place, specifier) {
  const home = `${place.group}/${place.name}/`
  const target = new URL(specifier, `file:///${place.file}`).pathname.slice(1)
  return target.startsWith(home) ? undefined : `${specifier} leaves ${home}: other packages are imported by name`
}

/**
 * @param {Place} place
 * @param {string} target name of a package or a service of this repository
 * @param {boolean} types
 */
function arrow(place, target, types) {
  if (target === place.name) return undefined
  const from = `${place.group}/${place.name}`
  const isService = place.services.has(target)
  if (isService && place.name !== COMPOSES_SERVICES) {
    return `${from} imports the service ${target}: ${COMPOSES_SERVICES} alone imports services`
  }
  if (place.part === 'test') return undefined
  if (TESTS_ONLY.includes(target)) return `${target} is for tests, and this file is part of what runs`
  if (place.group === 'services') return inService(place, target)
  const rule = PACKAGES[place.name]
  if (!rule) return `${from} has no place in the order of packages yet: give it one in scripts/lib/arrows/rules.mjs`
  if (rule.sees.includes(target)) return undefined
  if (rule.types?.includes(target))
    return types ? undefined : `${from} may import types of ${target} only (import type)`
  return `${from} may not import ${target}; it sees ${list([...rule.sees, ...(rule.types ?? []).map((name) => `types of ${name}`)])}`
}

/**
 * A service's own program, and beside it the commands that a deployment runs, such as `migrate.main.ts`.
 * @param {string} file
 * @param {string} from
 */
const isMain = (file, from) =>
  file.startsWith(`${from}/src/`) && /^([a-z-]+\.)?main\.ts$/.test(file.slice(`${from}/src/`.length))

/**
 * @param {Place} place
 * @param {string} target
 */
function inService(place, target) {
  const from = `services/${place.name}`
  if (place.part === 'page') {
    return PACKAGES[target]?.browser ? undefined : `${place.file} runs in a browser, and ${target} does not`
  }
  if (place.name === COMPOSES_SERVICES || isMain(place.file, from)) return undefined
  if (IN_A_SERVICE.includes(target)) return undefined
  return `inside ${from} only main.ts chooses adapters; every other file sees ${list(IN_A_SERVICE)}, not ${target}`
}

/**
 * @param {Place} place
 * @param {string} specifier
 */
function builtin(place, specifier) {
  if (place.part === 'test') return undefined
  const browser = place.part === 'page' || (place.group === 'packages' && PACKAGES[place.name]?.browser)
  return browser ? `${specifier} is Node's own, and this file runs in a browser as well` : undefined
}

/**
 * @param {Place} place
 * @param {string} specifier
 */
function vendor(place, specifier) {
  if (place.part === 'test') return undefined
  const library = libraryOf(specifier)
  const homes = HOMES[library]
  if (!homes || homes.some((home) => place.file.startsWith(`${home}/`))) return undefined
  return `${library} is imported in ${list(homes)} only`
}

/**
 * The package that a specifier names: `@scope/name/file` is of `@scope/name`.
 * @param {string} specifier
 */
export function libraryOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** @param {readonly string[]} names */
function list(names) {
  return names.length === 0 ? 'nothing of this repository' : names.join(', ')
}
