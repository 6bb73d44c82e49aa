import { type SealedConversations, type SessionId, sessionId } from '@chatbox/core'
import type { Document } from 'mongodb'
import { type Access, find, findOne } from '../access.ts'
import { NAMES, namesDocument, newMark, unsetting } from '../documents/session.ts'
import { valuesDocument } from '../documents/turn.ts'
import { hintOf, type Query, queries } from '../queries.ts'
import { binary, fieldsOf, text } from '../values.ts'
import type { ChangeSession } from './sessions.ts'
import type { ChangeTurn } from './turn-changes.ts'

type Keys = Pick<SealedConversations, 'changeKey' | 'keysInUse' | 'keyedBy' | 'resealTurn' | 'resealNames'>

/** What a rotation of keys asks of a database (R28). Each change is a compare-and-set on bytes, and leaves `rev` alone. */
export function keys(access: Access, changeSession: ChangeSession, changeTurn: ChangeTurn): Keys {
  const { attempt, collections, limited, settings } = access
  const { countSize } = settings

  /** By the index alone: these fields are in it, and no document is read. */
  const nextKey = async (after: string): Promise<string | undefined> => {
    const row = await findOne(access, queries.nextKey(after), { projection: { _id: 0, keyId: 1 } })
    return row && fieldsOf(row).text('keyId')
  }
  async function count(keyId: string, after: string): Promise<{ readonly sessions: number; readonly last: string }> {
    const query = queries.sessionsOfKey(keyId, after)
    const [row] = await collections.sessions
      .aggregate(countPipeline(query, countSize), { ...hintOf(query), ...limited })
      .toArray()
    if (!row) return { sessions: 0, last: after }
    return { sessions: fieldsOf(row).number('sessions'), last: fieldsOf(row).text('last') }
  }

  return {
    changeKey(sid, from, to, keyId) {
      const mark = newMark()
      const update = { $set: { key: binary(to), keyId: text(keyId), keyOp: mark } }
      return changeSession({ target: sid, query: queries.sessionWithKey(sid, from), update, mark })
    },

    async keysInUse() {
      const inUse = new Map<string, number>()
      for (let keyId = ''; ; ) {
        const next = await attempt('list keys', () => nextKey(keyId))
        if (next === undefined) return inUse
        keyId = next
        for (let after = ''; ; ) {
          const { sessions, last } = await attempt('count sessions by key', () => count(keyId, after))
          if (sessions > 0) inUse.set(keyId, (inUse.get(keyId) ?? 0) + sessions)
          if (sessions < countSize) break
          after = last
        }
      }
    },

    keyedBy: (keyId, limit, after = sessionId('')) =>
      attempt('list sessions by key', async (): Promise<SessionId[]> => {
        const rows = await find(access, queries.sessionsOfKey(keyId, after), { limit, projection: { _id: 1 } })
        return rows.map((row) => sessionId(fieldsOf(row).text('_id')))
      }),

    resealTurn(from, to) {
      const mark = newMark()
      const { sid, seq } = from
      return changeTurn({
        target: { sid, seq },
        query: queries.turnWithValues(from),
        update: { $set: { ...valuesDocument(to), resealOp: mark } },
        mark,
      })
    },

    resealNames(sid, from, to) {
      const mark = newMark()
      return changeSession({
        target: sid,
        query: queries.sessionWithNames(sid, from),
        update: {
          $set: { ...namesDocument(to), sealOp: mark },
          ...unsetting(NAMES.filter((name) => to[name] === undefined)),
        },
        mark,
      })
    },
  }
}

export const countPipeline = ({ filter, sort = {} }: Query, atOnce: number): Document[] => [
  { $match: filter },
  { $sort: sort },
  { $limit: atOnce },
  { $group: { _id: null, sessions: { $sum: 1 }, last: { $max: '$_id' } } },
]
