import { answerId, emptyTotals, type PendingAnswer, type SessionId, type Totals } from '@chatbox/core'
import type { Document } from 'mongodb'
import type { Access } from '../access.ts'
import { type Query, queries } from '../queries.ts'
import { fieldsOf } from '../values.ts'
import { together } from './together.ts'

/**
 * What rows add up to (R3), of all sessions that are asked about together, in one command: of each
 * session's rows it reads the last one, the pending ones, and tokens and cost from an index.
 */
export function totals(access: Access): (sid: SessionId) => Promise<Totals> {
  const { collections, limited } = access
  return together(access, 'sum up sessions', async (sids: readonly SessionId[]) => {
    const asked = [...new Set(sids)]
    const options = { ...limited, batchSize: asked.length + 1 }
    const rows = await collections.sessions.aggregate(totalsPipeline(asked), options).toArray()
    const bySid = new Map(rows.map((row) => [row._id, row]))
    return sids.map((sid) => {
      const row = bySid.get(sid)
      return row ? totalsOf(sid, row) : emptyTotals
    })
  })
}

export function totalsPipeline(sids: readonly SessionId[]): Document[] {
  const [sid = '' as SessionId] = sids
  return [
    { $match: queries.sessionsByIds(sids).filter },
    { $project: { _id: 1 } },
    joined('last', queries.turnsDown(sid, undefined), { $limit: 1 }, { $project: { _id: 0, seq: 1, width: 1 } }),
    joined('pending', queries.pendingOfSession(sid), { $project: { _id: 0, seq: 1, answerId: '$answer.answerId' } }),
    joined('spent', queries.spentInSession(sid), {
      $group: { _id: null, tokens: { $sum: '$tokens' }, cost: { $sum: '$cost' } },
    }),
  ]
}

/** A query of one session as a part of a query of many: the server puts each session's id in. */
function joined(as: string, { collection, filter, sort }: Query, ...stages: readonly Document[]): Document {
  const { sid: _, ...rest } = filter
  const pipeline = [
    ...(Object.keys(rest).length > 0 ? [{ $match: rest }] : []),
    ...(sort ? [{ $sort: sort }] : []),
    ...stages,
  ]
  return { $lookup: { from: collection, localField: '_id', foreignField: 'sid', pipeline, as } }
}

function totalsOf(sid: SessionId, { last, pending, spent }: Document): Totals {
  const end: Document | undefined = last[0]
  const [seq, width] = end ? [fieldsOf(end).number('seq'), fieldsOf(end).number('width')] : [0, 1]
  const sum: Document | undefined = spent[0]
  return {
    lastSeq: seq,
    nextSeq: seq + width,
    totalTokens: sum ? fieldsOf(sum).number('tokens') : 0,
    totalCost: sum ? fieldsOf(sum).number('cost') : 0,
    pending: pending.map((row: Document): PendingAnswer => {
      const fields = fieldsOf(row)
      return { sid, seq: fields.number('seq'), answerId: answerId(fields.text('answerId')) }
    }),
  }
}
