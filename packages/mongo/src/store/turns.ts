import type { Inserted, SealedConversations, TurnPageQuery } from '@chatbox/core'
import type { Document, ObjectId } from 'mongodb'
import { type Access, find, findOne } from '../access.ts'
import type { Row } from '../collections.ts'
import { newMark } from '../documents/session.ts'
import { type SealedTurn, turnDocument, turnOf } from '../documents/turn.ts'
import { type AnswerPlace, type Place, type Query, queries } from '../queries.ts'
import { inserts } from './inserts.ts'
import { together } from './together.ts'
import { totals } from './totals.ts'

type Turns = Pick<
  SealedConversations,
  'insertTurn' | 'turn' | 'turnByClientMessageId' | 'turnByAnswerId' | 'turns' | 'totals'
>

/** The row whose current answer this is. */
export type RowByAnswer = (place: AnswerPlace) => Promise<Row | undefined>

interface NewTurn {
  readonly turn: SealedTurn
  readonly _id: ObjectId
}

const INSERTED: Inserted = { kind: 'inserted' }

export function turns(access: Access, rowByAnswer: RowByAnswer): Turns {
  const { attempt } = access

  const insert = inserts<NewTurn, Inserted>(access, {
    what: 'insert a turn',
    collection: 'messages',
    keyOf: ({ turn }) => turn.sid,
    document: ({ turn, _id }) => turnDocument(turn, _id),
    inserted: INSERTED,
    inTheWay: ({ turn }) => queries.inTheWay(turn),
    judge: whatHappened,
  })

  const rowAt = rowsTogether<Place>(access, 'read turns', queries.turnsAt, placeName, ({ sid, seq }) => [
    placeName({ sid, seq }),
  ])
  const rowBySuperseded = rowsTogether<AnswerPlace>(
    access,
    'look up answers',
    queries.turnsBySuperseded,
    answerName,
    ({ sid, superseded }) => superseded.map(({ answerId }: AnswerPlace) => answerName({ sid, answerId })),
  )

  return {
    insertTurn: (turn) => insert({ turn, _id: newMark() }),

    turn: async (sid, seq) => maybeTurn(await rowAt({ sid, seq })),

    turnByClientMessageId: (authorId, cmid) =>
      attempt('look up a message', async () => maybeTurn(await findOne(access, queries.turnByCmid(authorId, cmid)))),

    // An answer goes from the first of these to the second, and never back.
    turnByAnswerId: async (sid, answerId) =>
      maybeTurn((await rowByAnswer({ sid, answerId })) ?? (await rowBySuperseded({ sid, answerId }))),

    turns: (sid, query) => attempt('read turns', async () => (await page(access, sid, query)).map(turnOf)),

    totals: totals(access),
  }
}

export const rowsByAnswer = (access: Access): RowByAnswer =>
  rowsTogether<AnswerPlace>(access, 'look up answers', queries.turnsByAnswers, answerName, ({ sid, answer }) => [
    answerName({ sid, answerId: answer.answerId }),
  ])

/** Each place is a branch of a query, whose plan grows with them. */
const MOST_BRANCHES = 100

function rowsTogether<P>(
  access: Access,
  what: string,
  query: (places: readonly P[]) => Query,
  nameOf: (place: P) => string,
  namesIn: (row: Document) => readonly string[],
): (place: P) => Promise<Row | undefined> {
  async function readAll(places: readonly P[]): Promise<(Row | undefined)[]> {
    const rows = await find(access, query(places), { expected: places.length })
    const byName = new Map(rows.flatMap((row) => namesIn(row).map((name) => [name, row] as const)))
    return places.map((place) => byName.get(nameOf(place)))
  }
  return together(access, what, readAll, MOST_BRANCHES)
}

const placeName = ({ sid, seq }: Place): string => `${seq} ${sid}`
const answerName = ({ sid, answerId }: AnswerPlace): string => JSON.stringify([sid, answerId])

const maybeTurn = (row: Row | undefined): SealedTurn | undefined => row && turnOf(row)

/** The reply to this very insert may have been lost. Where both are taken, the message counts before the place. */
function whatHappened({ turn, _id }: NewTurn, rows: readonly Row[]): Inserted {
  if (rows.some((row) => _id.equals(row._id as ObjectId))) return INSERTED
  const sentBefore = rows.some(
    ({ authorId, cmid }) => cmid !== undefined && cmid === turn.cmid && authorId === turn.authorId,
  )
  return { kind: sentBefore ? 'sent-before' : 'place-taken' }
}

async function page(access: Access, sid: SealedTurn['sid'], query: TurnPageQuery): Promise<Row[]> {
  const { limit, before, after, current } = query
  const part = current ? { projection: { superseded: 0 } } : {}
  if (after === undefined) return find(access, queries.turnsDown(sid, before), { limit, ...part })
  // Only a question's own seq can be `after` and still reach above it, by its answer: so there is one too many at most.
  const rows = await find(access, queries.turnsUp(sid, after, before), { limit: limit + 1, ...part })
  return rows.filter(({ seq, width }) => seq + width - 1 > after).slice(0, limit)
}
