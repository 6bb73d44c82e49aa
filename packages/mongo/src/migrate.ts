import { isDeepStrictEqual } from 'node:util'
import type { Db, IndexDescriptionInfo } from 'mongodb'
import { attempts } from './attempts.ts'
import { type CollectionName, collectionNames, collectionsOf } from './collections.ts'
import { connected, connectPatiently } from './connect.ts'
import { StoreError } from './errors.ts'
import { bare, codeOf, DUPLICATE_KEY } from './faults.ts'
import { type Index, indexes } from './indexes.ts'
import type { MongoOptions } from './options.ts'

/** Raised with each change that a version before could not work with. */
export const LAYOUT = 1
const LAYOUT_SETTING = 'layout'

export interface IndexFault {
  readonly collection: CollectionName
  readonly index: string
  readonly fault: 'missing' | 'differs'
}

export interface Migration {
  /** Indexes that were not there before, as `collection.name`. */
  readonly created: readonly string[]
}

export interface MigrateOptions extends Pick<MongoOptions, 'uri' | 'database' | 'onRetry'> {
  /** How long a server that is away, or does not do as it is told, is tried again; 30 s by default. */
  readonly retryMs?: number
  /** How long all of it may take; an hour by default, because an index over millions of rows takes its time. */
  readonly withinMs?: number
}

const RETRY_MS = 30_000
/** So that whoever waits hears soon that there is nobody. */
const CONNECT_MS = 5_000

/**
 * Makes what is missing and checks that all is as it has to be (D2). May be run again, by several at once, and while others work with
 * the database. An index that is there and differs is nobody's to drop but a person's: that is told, and rejects.
 */
export async function migrateMongo(options: MigrateOptions): Promise<Migration> {
  const { uri, database, onRetry = () => undefined, retryMs = RETRY_MS, withinMs = 3_600_000 } = options
  const client = connectPatiently(uri, Math.min(retryMs, CONNECT_MS))
  try {
    return await attempts({ answerMs: withinMs, retryMs, onRetry })('migrate', async () => {
      await connected(client)
      return migrate(client.db(database))
    })
  } finally {
    await client.close()
  }
}

/** What is missing or differs, for a check before a deployment; nothing is changed. */
export async function checkMongo(options: Omit<MigrateOptions, 'withinMs'>): Promise<readonly IndexFault[]> {
  const { uri, database, onRetry = () => undefined, retryMs = RETRY_MS } = options
  const client = connectPatiently(uri, Math.min(retryMs, CONNECT_MS))
  try {
    return await attempts({ answerMs: retryMs, onRetry })('check indexes', async () => {
      await connected(client)
      return faultsOf(client.db(database))
    })
  } finally {
    await client.close()
  }
}

async function migrate(db: Db): Promise<Migration> {
  const missing = (await faultsOf(db)).filter(({ fault }) => fault === 'missing')
  for (const name of collectionNames) {
    const wanted = new Set(missing.filter(({ collection }) => collection === name).map(({ index }) => index))
    const specifications = indexesOf(name).filter((index) => wanted.has(index.name))
    if (specifications.length > 0) await create(db, name, specifications)
  }
  const left = await faultsOf(db)
  if (left.length > 0) throw unmigrated(left)
  const { settings } = collectionsOf(db)
  await settings.updateOne({ _id: LAYOUT_SETTING }, { $max: { value: LAYOUT } }, { upsert: true })
  return { created: missing.map(({ collection, index }) => `${collection}.${index}`) }
}

async function create(db: Db, collection: CollectionName, specifications: readonly Index[]): Promise<void> {
  try {
    await collectionsOf(db)[collection].createIndexes([...specifications])
  } catch (error) {
    if (codeOf(error) !== DUPLICATE_KEY) throw error
    const names = specifications.map(({ name }) => name).join(', ')
    throw new StoreError('unmigrated', `Rows of ${collection} are there twice: ${names} can’t be made.`, bare(error))
  }
}

/** @throws {StoreError} `newer` where a later version has laid out the data */
export async function faultsOf(db: Db): Promise<readonly IndexFault[]> {
  const collections = collectionsOf(db)
  const layout = await collections.settings.findOne({ _id: LAYOUT_SETTING })
  if (typeof layout?.value === 'number' && layout.value > LAYOUT) {
    throw new StoreError(
      'newer',
      `The database ${db.databaseName} is laid out by a later version of Chatbox: run that one.`,
    )
  }
  const faults = await Promise.all(
    collectionNames.map(async (collection): Promise<IndexFault[]> => {
      const wanted = indexesOf(collection)
      if (wanted.length === 0) return []
      const there = new Map((await listed(db, collection)).map((index) => [index.name, index]))
      return wanted.flatMap((index): IndexFault[] => {
        const found = there.get(index.name)
        if (found && isSame(index, found)) return []
        return [{ collection, index: index.name, fault: found ? 'differs' : 'missing' }]
      })
    }),
  )
  return faults.flat()
}

const indexesOf = (collection: CollectionName): readonly Index[] => indexes[collection]

const NAMESPACE_NOT_FOUND = 26

async function listed(db: Db, collection: CollectionName): Promise<IndexDescriptionInfo[]> {
  try {
    return await collectionsOf(db)[collection].indexes()
  } catch (error) {
    // Nothing was written yet.
    if (codeOf(error) === NAMESPACE_NOT_FOUND) return []
    throw error
  }
}

/** The order of an index's keys is a part of what it is. */
const isSame = (wanted: Index, found: IndexDescriptionInfo): boolean =>
  isDeepStrictEqual(Object.entries(wanted.key), Object.entries(found.key)) &&
  (wanted.unique === true) === (found.unique === true) &&
  found.sparse !== true &&
  isDeepStrictEqual(wanted.partialFilterExpression ?? {}, found.partialFilterExpression ?? {})

export function unmigrated(faults: readonly IndexFault[]): StoreError {
  const missing = faults.filter(({ fault }) => fault === 'missing')
  const differing = faults.filter(({ fault }) => fault === 'differs')
  const names = (some: readonly IndexFault[]) =>
    some.map(({ collection, index }) => `${collection}.${index}`).join(', ')
  const sentences = [
    ...(missing.length > 0 ? [`The database lacks ${names(missing)}: run the migration.`] : []),
    ...(differing.length > 0
      ? [`These are not as they have to be: ${names(differing)}. Drop them, and run the migration.`]
      : []),
  ]
  return new StoreError('unmigrated', sentences.join(' '))
}
