import type { SealedConversations, SealedSession, SessionId, SessionPageQuery, UserId } from '@chatbox/core'
import type { ObjectId } from 'mongodb'
import { type Access, find } from '../access.ts'
import type { Row } from '../collections.ts'
import { newMark, sessionDocument, sessionOf, sessionUpdate } from '../documents/session.ts'
import { gather } from '../gather.ts'
import { queries } from '../queries.ts'
import { binary, NO_BYTES } from '../values.ts'
import { changes } from './changes.ts'
import { inserts } from './inserts.ts'

type Sessions = Pick<
  SealedConversations,
  'session' | 'createSession' | 'changeSession' | 'listSessions' | 'changeKey' | 'eraseKey'
>

interface NewSession {
  readonly session: SealedSession
  readonly op: ObjectId
}

export function sessions(access: Access): Sessions {
  const { attempt, collections, settings, limited } = access

  const read = gather<SessionId, SealedSession | undefined>(
    {
      what: 'read sessions',
      ms: 0,
      size: settings.gatherSize,
      answerMs: settings.answerMs,
      async run(sids) {
        const rows = await attempt('read sessions', () => find(access, queries.sessionsByIds([...new Set(sids)])))
        const bySid = new Map(rows.map((row) => [row._id, row]))
        return sids.map((sid) => {
          const row = bySid.get(sid)
          return row && sessionOf(row)
        })
      },
    },
    access.reads,
  )

  const create = inserts<NewSession, 'created' | 'exists'>(access, {
    what: 'create a session',
    collection: 'sessions',
    keyOf: ({ session }) => session.sid,
    document: ({ session, op }) => sessionDocument(session, op),
    inserted: 'created',
    inTheWay: ({ session }) => queries.sessionById(session.sid),
    judge: ({ op }, rows) => (rows.some((row) => op.equals(row.op)) ? 'created' : 'exists'),
  })

  const change = changes<SessionId>(access, {
    what: 'change a session',
    collection: 'sessions',
    keyOf: (sid) => sid,
    rows: queries.sessionsByIds,
    projection: { op: 1, keyOp: 1 },
    marksOf: ({ op, keyOp }) => [op, keyOp],
  })

  return {
    session: read,

    createSession: (session) => create({ session, op: newMark() }),

    changeSession(sid, rev, to) {
      const mark = newMark()
      return change({ target: sid, query: queries.sessionAtRev(sid, rev), update: sessionUpdate(rev, to, mark), mark })
    },

    listSessions: (uid, query) => attempt('list sessions', () => list(access, uid, query)),

    changeKey(sid, from, to) {
      const mark = newMark()
      const update = { $set: { key: binary(to), keyOp: mark } }
      return change({ target: sid, query: queries.sessionWithKey(sid, from), update, mark })
    },

    eraseKey: (sid) =>
      attempt('erase a key', async () => {
        await collections.sessions.updateOne(
          queries.sessionWithAnyKey(sid).filter,
          {
            $set: { key: NO_BYTES(), op: newMark() },
            $unset: { nm: '', assistingAdminName: '' },
            $inc: { rev: 1 },
          },
          limited,
        )
      }),
  }
}

async function list(access: Access, uid: UserId, { limit, after }: SessionPageQuery): Promise<SealedSession[]> {
  const listed: Row[] = []
  let from = after
  for (;;) {
    const page = await find(access, queries.sessionsOfUser(uid, from), { limit })
    listed.push(...(await withRows(access, page)))
    const last = page.at(-1)
    if (!last || page.length < limit || listed.length >= limit) return listed.slice(0, limit).map(sessionOf)
    from = sessionOf(last)
  }
}

/** A session without rows was made by somebody whose insert then failed: it is not shown (R10). One that counts messages has some. */
async function withRows(access: Access, page: readonly Row[]): Promise<Row[]> {
  const doubtful = page.filter(({ msgCount }) => msgCount === 0).map((row) => sessionOf(row).sid)
  if (doubtful.length === 0) return [...page]
  const first = await find(access, queries.firstTurns(doubtful), { projection: { sid: 1 } })
  const begun = new Set(first.map(({ sid }) => sid))
  return page.filter(({ _id, msgCount }) => msgCount > 0 || begun.has(_id))
}
