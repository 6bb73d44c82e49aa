import { type SealedConversations, type SessionId, Unavailable } from '@chatbox/core'
import type { Document } from 'mongodb'
import { type Access, findOne } from '../access.ts'
import { within } from '../attempts.ts'
import type { SealedTurn } from '../documents/turn.ts'
import { hintOf, queries } from '../queries.ts'
import { NO_BYTES, number } from '../values.ts'

/**
 * The second step of an erasure; the first was the key (R22). The last row is written first: from then on no late insert finds a
 * place, and what got in before is emptied. Every step may be repeated, and a call that failed is called again.
 */
export function erasure(
  access: Access,
  insertTurn: SealedConversations['insertTurn'],
): Pick<SealedConversations, 'eraseTurns'> {
  const { attempt, collections, limited, settings } = access

  const lastRow = (sid: SessionId) =>
    attempt('read the last turn', () =>
      findOne(access, queries.turnsDown(sid, undefined), { projection: { seq: 1, width: 1, event: 1 } }),
    )

  async function putStub(sid: SessionId, stub: SealedTurn): Promise<void> {
    const { cmid: _cmid, answer: _answer, ...row } = stub
    for (let race = 0; race < MOST_RACES; race += 1) {
      const last = await lastRow(sid)
      if (last && last.event !== undefined && last.event === stub.event) return
      const seq = last ? last.seq + last.width : 1
      const { kind } = await insertTurn({ ...row, sid, seq, content: new Uint8Array(), superseded: [] })
      if (kind === 'inserted') return
    }
    throw new Unavailable('somebody keeps writing to a session that is erased')
  }

  async function empty(sid: SessionId, endedAt: number): Promise<void> {
    const query = queries.turnsToErase(sid)
    await collections.messages.updateMany(query.filter, emptied(endedAt), { ...hintOf(query), ...limited })
  }

  async function erase(sid: SessionId, stub: SealedTurn): Promise<void> {
    await putStub(sid, stub)
    await attempt('erase turns', () => empty(sid, stub.ts))
  }

  return { eraseTurns: (sid, stub) => within(settings.answerMs, 'erase turns', erase(sid, stub)) }
}

/** More than a few in a row would be owners who do not know of each other. */
const MOST_RACES = 20

/** In one step for each row, so that no answer gets between its end and its text. */
const emptied = (endedAt: number): Document[] => [
  {
    $set: {
      content: { $literal: NO_BYTES() },
      erased: true,
      answer: {
        $cond: [
          { $eq: [{ $type: '$answer' }, 'missing'] },
          '$$REMOVE',
          { $mergeObjects: ['$answer', cancelled(endedAt)] },
        ],
      },
    },
  },
  { $unset: ['answer.text', 'superseded.text'] },
]

/** An answer that was pending ends here, because nothing is left to be answered. */
const cancelled = (endedAt: number): Document => ({
  $cond: [{ $eq: ['$answer.status', 'pending'] }, { status: 'cancelled', endedAt: number(endedAt) }, {}],
})
