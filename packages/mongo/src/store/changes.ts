import type { Document, ObjectId, UpdateFilter } from 'mongodb'
import { type Access, bulk, find } from '../access.ts'
import type { CollectionName, Row } from '../collections.ts'
import { StoreError } from '../errors.ts'
import { gather } from '../gather.ts'
import { hintOf, type Query } from '../queries.ts'

/** A compare-and-set on one row. */
export interface Change<Target> {
  readonly target: Target
  /** What must be true of the row. */
  readonly query: Query
  /** Writes `mark` somewhere, among the rest. */
  readonly update: UpdateFilter<Row>
  /** Without one, nobody asks whether it was done. */
  readonly mark?: ObjectId
}

export interface ChangeOptions<Target> {
  readonly what: string
  readonly collection: CollectionName
  /** Changes of one session go one after the other. */
  readonly keyOf: (target: Target) => string
  /** The rows of these, whatever is in them. */
  readonly rows: (targets: readonly Target[]) => Query
  readonly projection: Document
  readonly marksOf: (row: Row) => readonly unknown[]
}

/**
 * Changes that arrive together are one command. The server tells only how many of them matched, and a repetition of what was
 * done and not heard of matches nothing. Where that leaves a doubt the rows are read: a change has happened whose mark is there.
 */
export function changes<Target>(
  access: Access,
  options: ChangeOptions<Target>,
): (change: Change<Target>) => Promise<boolean> {
  const { what, collection, keyOf, rows, projection, marksOf } = options
  const { settings, attempt } = access

  async function marksIn(targets: readonly Target[]): Promise<ReadonlySet<string>> {
    const found = await find(access, rows(targets), { projection })
    return new Set(found.flatMap((row) => marksOf(row).flatMap((mark) => (mark === undefined ? [] : [String(mark)]))))
  }

  async function changeAll(group: readonly Change<Target>[], time: number): Promise<(boolean | Promise<boolean>)[]> {
    const operations = group.map(({ query, update }) => ({
      updateOne: { filter: query.filter, update, ...hintOf(query) },
    }))
    const { matched, failed } = await bulk(access, collection, operations)
    if (matched === group.length) return group.map(() => true)
    if (matched === 0 && failed.size === 0 && time === 1) return group.map(() => false)
    const doubtful = group.filter(({ mark }) => mark !== undefined)
    const there = doubtful.length > 0 ? await marksIn(doubtful.map(({ target }) => target)) : new Set()
    return group.map(({ mark }, i) => {
      const failure = failed.get(i)
      return failure ? Promise.reject(refused(what, failure.code)) : mark === undefined || there.has(mark.toHexString())
    })
  }

  return gather(
    {
      what,
      ms: settings.gatherMs,
      size: settings.gatherSize,
      answerMs: settings.answerMs,
      keyOf: ({ target }) => keyOf(target),
      run: (group) => attempt(what, (time) => changeAll(group, time)),
    },
    access.writes,
  )
}

/** A single row that the server will not have, such as one that has grown too large. */
export const refused = (what: string, code: number): StoreError =>
  new StoreError('unstorable', `MongoDB refuses to ${what} (code ${code}).`)
