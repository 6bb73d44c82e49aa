import type { SealedConversations, SealedSession, SessionId, SessionPageQuery, UserId } from '@chatbox/core'
import type { ObjectId } from 'mongodb'
import { type Access, find, findOne } from '../access.ts'
import type { Row } from '../collections.ts'
import { newMark, sessionDocument, sessionOf, sessionUpdate } from '../documents/session.ts'
import { queries } from '../queries.ts'
import { type Change, changes } from './changes.ts'
import { inserts } from './inserts.ts'
import { together } from './together.ts'

type Sessions = Pick<
  SealedConversations,
  'session' | 'createSession' | 'changeSession' | 'listSessions' | 'sessionByShare'
>

export type ChangeSession = (change: Change<SessionId>) => Promise<boolean>

interface NewSession {
  readonly session: SealedSession
  readonly op: ObjectId
}

/** Every change of a session's row that arrives with others is in one command with them, and leaves its mark. */
export const sessionChanges = (access: Access): ChangeSession =>
  changes<SessionId>(access, {
    what: 'change a session',
    collection: 'sessions',
    keyOf: (sid) => sid,
    rows: queries.sessionsByIds,
    projection: { op: 1, keyOp: 1, sealOp: 1 },
    marksOf: ({ op, keyOp, sealOp }) => [op, keyOp, sealOp],
  })

export function sessions(access: Access, change: ChangeSession): Sessions {
  const { attempt } = access

  const read = together(access, 'read sessions', async (sids: readonly SessionId[]) => {
    const asked = [...new Set(sids)]
    const rows = await find(access, queries.sessionsByIds(asked), { expected: asked.length })
    const bySid = new Map(rows.map((row) => [row._id, row]))
    return sids.map((sid) => maybeSession(bySid.get(sid)))
  })

  const create = inserts<NewSession, 'created' | 'exists'>(access, {
    what: 'create a session',
    collection: 'sessions',
    keyOf: ({ session }) => session.sid,
    document: ({ session, op }) => sessionDocument(session, op),
    inserted: 'created',
    inTheWay: ({ session }) => queries.sessionById(session.sid),
    judge: ({ op }, rows) => (rows.some((row) => op.equals(row.op)) ? 'created' : 'exists'),
  })

  return {
    session: read,

    createSession: (session) => create({ session, op: newMark() }),

    changeSession(sid, rev, to) {
      const mark = newMark()
      return change({ target: sid, query: queries.sessionAtRev(sid, rev), update: sessionUpdate(rev, to, mark), mark })
    },

    listSessions: (uid, query) => attempt('list sessions', () => list(access, uid, query)),

    sessionByShare: (hash) =>
      attempt('look up a share', async () => maybeSession(await findOne(access, queries.sessionByShare(hash)))),
  }
}

const maybeSession = (row: Row | undefined): SealedSession | undefined => row && sessionOf(row)

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
