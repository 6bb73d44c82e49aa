import type { Inserted, PendingAnswer, SealedConversations, TurnPageQuery } from '@chatbox/core'
import type { ObjectId } from 'mongodb'
import { type Access, find, findOne } from '../access.ts'
import type { Row } from '../collections.ts'
import { newMark } from '../documents/session.ts'
import { type SealedTurn, turnDocument, turnOf } from '../documents/turn.ts'
import { type Query, queries } from '../queries.ts'
import { inserts } from './inserts.ts'
import { totals } from './totals.ts'

type Turns = Pick<
  SealedConversations,
  'insertTurn' | 'turn' | 'turnByClientMessageId' | 'turnByAnswerId' | 'turns' | 'totals' | 'pendingOf'
>

interface NewTurn {
  readonly turn: SealedTurn
  readonly _id: ObjectId
}

const INSERTED: Inserted = { kind: 'inserted' }

export function turns(access: Access): Turns {
  const { attempt } = access
  const one = (what: string, ...among: readonly Query[]) =>
    attempt(what, async () => {
      for (const query of among) {
        const row = await findOne(access, query)
        if (row) return turnOf(row)
      }
      return undefined
    })

  const insert = inserts<NewTurn, Inserted>(access, {
    what: 'insert a turn',
    collection: 'messages',
    keyOf: ({ turn }) => turn.sid,
    document: ({ turn, _id }) => turnDocument(turn, _id),
    inserted: INSERTED,
    inTheWay: ({ turn }) => queries.inTheWay(turn),
    judge: whatHappened,
  })

  return {
    insertTurn: (turn) => insert({ turn, _id: newMark() }),

    turn: (sid, seq) => one('read a turn', queries.turnAt(sid, seq)),

    turnByClientMessageId: (authorId, cmid) => one('look up a message', queries.turnByCmid(authorId, cmid)),

    // An answer goes from the first of these to the second, and never back.
    turnByAnswerId: (sid, answerId) =>
      one('look up an answer', queries.turnByAnswer(sid, answerId), queries.turnBySuperseded(sid, answerId)),

    turns: (sid, query) => attempt('read turns', async () => (await page(access, sid, query)).map(turnOf)),

    totals: totals(access),

    pendingOf: (partition, limit, after) =>
      attempt('read pending answers', async () => {
        const from = after && { ...after, askedAt: await askedAt(access, after) }
        const query = queries.pendingOfPartition(
          partition,
          from?.askedAt === undefined ? undefined : { ...from, askedAt: from.askedAt },
        )
        return (await find(access, query, { limit })).map(turnOf)
      }),
  }
}

/** The reply to this very insert may have been lost. Where both are taken, the message counts before the place. */
function whatHappened({ turn, _id }: NewTurn, rows: readonly Row[]): Inserted {
  if (rows.some((row) => _id.equals(row._id as ObjectId))) return INSERTED
  const sentBefore = rows.some(
    ({ authorId, cmid }) => cmid !== undefined && cmid === turn.cmid && authorId === turn.authorId,
  )
  return { kind: sentBefore ? 'sent-before' : 'place-taken' }
}

async function page(access: Access, sid: SealedTurn['sid'], { limit, before, after }: TurnPageQuery): Promise<Row[]> {
  if (after === undefined) return find(access, queries.turnsDown(sid, before), { limit })
  // Only a question's own seq can be `after` and still reach above it, by its answer: so there is one too many at most.
  const rows = await find(access, queries.turnsUp(sid, after, before), { limit: limit + 1 })
  return rows.filter(({ seq, width }) => seq + width - 1 > after).slice(0, limit)
}

/** Where a page goes on: behind the answer that was the last one, also when that has ended or was superseded since. */
async function askedAt(access: Access, { sid, answerId }: PendingAnswer): Promise<number | undefined> {
  for (const query of [queries.turnByAnswer(sid, answerId), queries.turnBySuperseded(sid, answerId)]) {
    const row = await findOne(access, query)
    if (!row) continue
    const { answer, superseded } = turnOf(row)
    return [...(answer ? [answer] : []), ...superseded].find((each) => each.answerId === answerId)?.askedAt
  }
  return undefined
}
