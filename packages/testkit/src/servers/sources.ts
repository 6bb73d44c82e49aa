import { type ChromiumSource, chromiumFinder } from './chromium.ts'
import type { Finder } from './finder.ts'
import { inCi } from './lib/machine.ts'
import { type MongoSource, mongoFinder } from './mongo.ts'
import { type RedisSource, redisFinder } from './redis.ts'

export interface Sources {
  readonly redis: RedisSource
  readonly mongo: MongoSource
  readonly chromium: ChromiumSource
}

export type ServerName = keyof Sources

export const finders: { readonly [Name in ServerName]: Finder<Sources[Name]> } = {
  redis: redisFinder,
  mongo: mongoFinder,
  chromium: chromiumFinder,
}

/** What `npm test` found, as JSON: a source per name, or null where there is none. */
export const FOUND_VARIABLE = 'CHATBOX_TEST_SERVERS'

export type Found = { readonly [Name in ServerName]: Sources[Name] | null }

/** What `npm test` has found or set up; where the tests were started by hand, what is there. */
export async function source<Name extends ServerName>(name: Name): Promise<Sources[Name] | undefined> {
  const handed = process.env[FOUND_VARIABLE]
  if (handed === undefined) return finders[name].look()
  const found: Found = JSON.parse(handed)
  return found[name] ?? undefined
}

const told = new Set<ServerName>()

/**
 * Whether tests that need this server can run, for `describe.skipIf(!(await available('redis')))`. Where they can't, it
 * says so loudly; under CI it throws, because a test that nobody runs is worse than one that fails.
 */
export async function available(name: ServerName): Promise<boolean> {
  if (await source(name)) return true
  const message = missing(name)
  if (inCi()) throw new Error(message)
  if (!told.has(name)) console.warn(`\n!!! SKIPPED: ${message}\n`)
  told.add(name)
  return false
}

/** What to start a server from; for those that asked available() first. */
export async function needed<Name extends ServerName>(name: Name): Promise<Sources[Name]> {
  const found = await source(name)
  if (!found) throw new Error(missing(name))
  return found
}

function missing(name: ServerName): string {
  return `these tests need ${finders[name].name}, and there is none. To have them run, ${finders[name].advice}.`
}
