import type { Document } from 'mongodb'
import { type AnyBulkWriteOperation, MongoBulkWriteError } from 'mongodb'
import type { Attempt } from './attempts.ts'
import type { CollectionName, Collections, Row } from './collections.ts'
import { isPassing, NotYet } from './faults.ts'
import type { GatherCounts } from './gather.ts'
import type { Settings } from './options.ts'
import { hintOf, type Query } from './queries.ts'

/** How the parts of the store reach the database. */
export interface Access {
  readonly collections: Collections
  readonly settings: Settings
  /** Of groups of writes, and of reads. */
  readonly writes: GatherCounts
  readonly reads: GatherCounts
  readonly attempt: Attempt
  /** The server stops what takes longer: whoever asked is not there any more. */
  readonly limited: { readonly maxTimeMS: number }
}

export interface FindOptions {
  readonly limit?: number
  /** How many rows there are in general, where there is no limit: for one reply. */
  readonly expected?: number
  readonly projection?: Document
}

export const find = ({ collections, limited }: Access, query: Query, options: FindOptions = {}): Promise<Row[]> => {
  const { collection, filter, sort } = query
  const { expected, ...asked } = options
  // One reply for a page, as far as a reply reaches. A server that could give no more than was wanted says that there is no more.
  const most = options.limit ?? (expected === undefined ? undefined : expected + 1)
  const page = most === undefined ? {} : { batchSize: most }
  return collections[collection]
    .find(filter, { ...limited, ...hintOf(query), ...(sort && { sort }), ...page, ...asked })
    .toArray()
}

export const findOne = async (access: Access, query: Query, options: FindOptions = {}): Promise<Row | undefined> =>
  (await find(access, query, { ...options, limit: 1 }))[0]

export interface BulkOutcome {
  /** Of updates: how many rows matched. */
  readonly matched: number
  /** What the server said of single operations, by their place. */
  readonly failed: ReadonlyMap<number, { readonly code: number }>
}

/** Unordered: one that fails does not keep the others from being done. */
export async function bulk(
  { collections, limited }: Access,
  collection: CollectionName,
  operations: readonly AnyBulkWriteOperation<Row>[],
): Promise<BulkOutcome> {
  try {
    const { matchedCount } = await collections[collection].bulkWrite([...operations], { ordered: false, ...limited })
    return { matched: matchedCount, failed: new Map() }
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error
    const failures = [error.writeErrors].flat()
    // Nothing is said of single operations: it is true of all of them.
    if (failures.length === 0) throw error
    // It is not known of the others whether a majority has them, or one was stopped by what will pass.
    if (error.result.getWriteConcernError() || failures.some(({ code }) => isPassing(code))) {
      throw new NotYet('not everything was written', { cause: error })
    }
    return { matched: error.matchedCount, failed: new Map(failures.map(({ index, code }) => [index, { code }])) }
  }
}
