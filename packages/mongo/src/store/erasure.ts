import { type SealedConversations, type SessionId, sessionId, Unavailable, type UserId } from '@chatbox/core'
import type { Document } from 'mongodb'
import { type Access, find, findOne } from '../access.ts'
import { within } from '../attempts.ts'
import { newMark } from '../documents/session.ts'
import type { SealedTurn } from '../documents/turn.ts'
import { hintOf, queries } from '../queries.ts'
import { fieldsOf, NO_BYTES, number, text } from '../values.ts'

type Erasure = Pick<SealedConversations, 'eraseKey' | 'eraseTurns' | 'erasable' | 'forgetUser'>

/** The key first, then the rows, and at last whose they were (R22). Every step may be repeated, and a call that failed is called again. */
export function erasure(access: Access, insertTurn: SealedConversations['insertTurn']): Erasure {
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

  async function empty(sid: SessionId, stub: SealedTurn): Promise<void> {
    const query = queries.turnsToErase(sid)
    await collections.messages.updateMany(query.filter, emptied(stub), { ...hintOf(query), ...limited })
  }

  /** The last row is written first: from then on no late insert finds a place, and what got in before is emptied. */
  async function erase(sid: SessionId, stub: SealedTurn): Promise<void> {
    await putStub(sid, stub)
    await attempt('erase turns', () => empty(sid, stub))
  }

  const erasedOf = (uid: UserId) =>
    attempt('find erased sessions', async () => {
      const rows = await find(access, queries.erasedOfUser(uid), { limit: FORGOTTEN_AT_ONCE, projection: { _id: 1 } })
      return rows.map((row) => sessionId(fieldsOf(row).text('_id')))
    })

  async function forget(uid: UserId, alias: UserId, until: number): Promise<void> {
    const ofAlias = { $set: { authorId: text(alias) }, $unset: { cmid: '' } } as const
    for (let sids = await erasedOf(uid); sids.length > 0; sids = await erasedOf(uid)) {
      if (performance.now() > until) throw new Unavailable('there is more of this user than could be gone through')
      const [rows, owned] = [queries.turnsOfAuthor(sids, uid), queries.sessionsOfOwner(sids, uid)]
      await attempt('forget an author', () =>
        collections.messages.updateMany(rows.filter, ofAlias, { ...hintOf(rows), ...limited }),
      )
      // The last, for by it the others are found.
      await attempt('forget an owner', () =>
        collections.sessions.updateMany(owned.filter, { $set: { uid: text(alias) } }, limited),
      )
    }
  }

  return {
    eraseKey: (sid) =>
      attempt('erase a key', async () => {
        await collections.sessions.updateOne(
          queries.sessionWithAnyKey(sid).filter,
          {
            $set: { key: NO_BYTES(), keyId: '', op: newMark() },
            $unset: { nm: '', preview: '', assistingAdminName: '', share: '' },
            $inc: { rev: 1 },
          },
          limited,
        )
      }),

    eraseTurns: (sid, stub) => within(settings.answerMs, 'erase turns', erase(sid, stub)),

    erasable: (query) =>
      attempt('find sessions to erase', async () => {
        const those = 'uid' in query ? queries.keptOfUser(query.uid) : queries.idleOfPartition(query)
        const rows = await find(access, those, { limit: query.limit, projection: { _id: 1 } })
        return rows.map((row) => sessionId(fieldsOf(row).text('_id')))
      }),

    forgetUser(uid, alias) {
      const { answerMs } = settings
      return within(answerMs, 'forget a user', forget(uid, alias, performance.now() + answerMs))
    },
  }
}

/** More than a few in a row would be owners who do not know of each other. */
const MOST_RACES = 20

/** Few enough for one command with all of their rows. What was gone through is not gone through again. */
const FORGOTTEN_AT_ONCE = 50

/**
 * In one step for each row, so that no answer gets between its end and its text. The row that says so is told by its event; it keeps
 * its mark, for the erasure may not be through.
 */
const emptied = ({ ts, event = '' }: SealedTurn): Document[] => [
  {
    $set: {
      content: { $literal: NO_BYTES() },
      erased: true,
      unsettled: { $cond: [{ $eq: ['$event', { $literal: event }] }, '$unsettled', '$$REMOVE'] },
      answer: {
        $cond: [{ $eq: [{ $type: '$answer' }, 'missing'] }, '$$REMOVE', { $mergeObjects: ['$answer', cancelled(ts)] }],
      },
    },
  },
  { $unset: ERASED_FROM_ANSWERS.flatMap((field) => [`answer.${field}`, `superseded.${field}`]) },
]

const ERASED_FROM_ANSWERS = ['text', 'thread', 'feedback']

/** An answer that was pending ends here, because nothing is left to be answered. */
const cancelled = (endedAt: number): Document => ({
  $cond: [{ $eq: ['$answer.status', 'pending'] }, { status: 'cancelled', endedAt: number(endedAt) }, {}],
})
