import { type Access, bulk, find } from '../access.ts'
import type { CollectionName, Row } from '../collections.ts'
import { DUPLICATE_KEY, NotYet } from '../faults.ts'
import { gather } from '../gather.ts'
import type { Query } from '../queries.ts'
import { refused } from './changes.ts'

export interface InsertOptions<C, R> {
  readonly what: string
  readonly collection: CollectionName
  readonly keyOf: (call: C) => string
  /** The same document each time, so that a repetition meets it. */
  readonly document: (call: C) => Row
  readonly inserted: R
  /** The rows that can have been in the way. */
  readonly inTheWay: (call: C) => Query
  /** What has happened, by those rows: it may have been this insert itself, whose reply was lost. */
  readonly judge: (call: C, rows: readonly Row[]) => R
}

/** Rows that arrive together are one command, with at most one of a session (R4). Each has its own outcome. */
export function inserts<C, R>(access: Access, options: InsertOptions<C, R>): (call: C) => Promise<R> {
  const { what, collection, keyOf, document, inserted, inTheWay, judge } = options
  const { settings, attempt } = access
  const insertAll = (group: readonly C[]) =>
    bulk(
      access,
      collection,
      group.map((call) => ({ insertOne: { document: document(call) } })),
    )

  /**
   * What a duplicate key was a duplicate of must be what a majority has, before anybody is told of it (R1). A row that does not
   * show may be on its way to a majority, or have been lost with a primary: then there is room again.
   */
  const confirm = (call: C): Promise<R> =>
    attempt(what, async () => {
      const rows = await find(access, inTheWay(call))
      if (rows.length > 0) return judge(call, rows)
      const { failed } = await insertAll([call])
      if (failed.size === 0) return inserted
      throw new NotYet('what has this place is not with a majority yet')
    })

  async function run(group: readonly C[]): Promise<(R | Promise<R>)[]> {
    const { failed } = await attempt(what, () => insertAll(group))
    return group.map((call, i) => {
      const failure = failed.get(i)
      if (!failure) return inserted
      return failure.code === DUPLICATE_KEY ? confirm(call) : Promise.reject(refused(what, failure.code))
    })
  }

  const { gatherMs: ms, gatherSize: size, answerMs } = settings
  return gather({ what, ms, size, answerMs, keyOf, run }, access.writes)
}
