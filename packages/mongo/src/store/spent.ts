import { type SealedConversations, type UserId, userId } from '@chatbox/core'
import type { Document } from 'mongodb'
import type { Access } from '../access.ts'
import { hintOf, type Query, queries } from '../queries.ts'
import { fieldsOf } from '../values.ts'
import { together } from './together.ts'

interface Asked {
  readonly uid: UserId
  readonly since: number
}

/** What each of these users has spent. Who has spent nothing is not in it. */
type Spent = ReadonlyMap<UserId, number>

/**
 * What answers have cost: the current ones by an index that holds what is summed up, and those that were superseded by their rows. All
 * questions of a batch are asked about together, as every one of them may be one too many for its user's day.
 */
export function spent(access: Access): Pick<SealedConversations, 'tokensSince'> {
  const { collections, limited } = access

  async function sum(query: Query, pipeline: readonly Document[], expected: number): Promise<Spent> {
    const options = { ...hintOf(query), ...limited, batchSize: expected + 1 }
    const rows = await collections[query.collection].aggregate([...pipeline], options).toArray()
    return new Map(
      rows.map((row) => {
        const fields = fieldsOf(row)
        return [userId(fields.text('_id')), fields.number('tokens')]
      }),
    )
  }

  async function sumUp(uids: readonly UserId[], since: number): Promise<(uid: UserId) => number> {
    const [current, superseded] = [queries.spentSince(uids, since), queries.supersededSpentSince(uids, since)]
    const [now, before] = await Promise.all([
      sum(current, currentTokens(current), uids.length),
      sum(superseded, supersededTokens(superseded, since), uids.length),
    ])
    return (uid) => (now.get(uid) ?? 0) + (before.get(uid) ?? 0)
  }

  const tokens = together(access, 'sum up tokens', async (calls: readonly Asked[]) => {
    // All of one time but at midnight.
    const users = new Map<number, Set<UserId>>()
    for (const { uid, since } of calls) users.set(since, (users.get(since) ?? new Set()).add(uid))
    const sums = new Map(
      await Promise.all([...users].map(async ([since, uids]) => [since, await sumUp([...uids], since)] as const)),
    )
    return calls.map(({ uid, since }) => sums.get(since)?.(uid) ?? 0)
  })
  return { tokensSince: (uid, since) => tokens({ uid, since }) }
}

export const currentTokens = ({ filter }: Query): Document[] => [{ $match: filter }, tokensOf('answer')]

export const supersededTokens = ({ filter }: Query, since: number): Document[] => [
  { $match: filter },
  { $project: { authorId: 1, 'superseded.endedAt': 1, 'superseded.usage': 1 } },
  { $unwind: '$superseded' },
  { $match: { 'superseded.endedAt': { $gte: since } } },
  tokensOf('superseded'),
]

/** One that was told without usage adds nothing. */
const tokensOf = (path: string): Document => ({
  $group: {
    _id: '$authorId',
    tokens: { $sum: { $add: [`$${path}.usage.inputTokens`, `$${path}.usage.outputTokens`] } },
  },
})
