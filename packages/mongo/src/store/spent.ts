import type { SealedConversations } from '@chatbox/core'
import type { Document } from 'mongodb'
import type { Access } from '../access.ts'
import { hintOf, type Query, queries } from '../queries.ts'
import { fieldsOf } from '../values.ts'

/** What answers have cost: the current ones by an index that holds what is summed up, and those that were superseded by their rows. */
export function spent({ attempt, collections, limited }: Access): Pick<SealedConversations, 'tokensSince'> {
  const sum = (query: Query, pipeline: readonly Document[]) =>
    attempt('sum up tokens', async () => {
      const options = { ...hintOf(query), ...limited }
      const [row] = await collections[query.collection].aggregate([...pipeline], options).toArray()
      return row ? fieldsOf(row).number('tokens') : 0
    })

  return {
    async tokensSince(uid, since) {
      const [current, superseded] = [queries.spentSince(uid, since), queries.supersededSpentSince(uid, since)]
      const [now, before] = await Promise.all([
        sum(current, currentTokens(current)),
        sum(superseded, supersededTokens(superseded, since)),
      ])
      return now + before
    },
  }
}

export const currentTokens = ({ filter }: Query): Document[] => [{ $match: filter }, tokensOf('answer')]

export const supersededTokens = ({ filter }: Query, since: number): Document[] => [
  { $match: filter },
  { $project: { 'superseded.endedAt': 1, 'superseded.usage': 1 } },
  { $unwind: '$superseded' },
  { $match: { 'superseded.endedAt': { $gte: since } } },
  tokensOf('superseded'),
]

/** One that was told without usage adds nothing. */
const tokensOf = (path: string): Document => ({
  $group: {
    _id: null,
    tokens: { $sum: { $add: [`$${path}.usage.inputTokens`, `$${path}.usage.outputTokens`] } },
  },
})
