import { changed, type SealedConversations, type SealedSession } from '@chatbox/core'
import type { Access } from './access.ts'
import { sessionOf, sessionParams } from './session-row.ts'

type Sessions = Pick<
  SealedConversations,
  'session' | 'createSession' | 'changeSession' | 'listSessions' | 'sessionByShare'
>

export function sessions({ statements, read, write }: Access): Sessions {
  const find = (sid: string): SealedSession | undefined => {
    const row = statements.sessionById.one({ sid })
    return row && sessionOf(row)
  }
  return {
    session: (sid) => read(() => find(sid)),

    createSession: (session) =>
      write(() => (statements.insertSession.run(sessionParams(session)) === 1 ? 'created' : 'exists')),

    changeSession: (sid, rev, change) =>
      write(
        () => {
          const session = find(sid)
          if (session?.rev !== rev) return false
          statements.updateSession.run(sessionParams({ ...changed(session, change), rev: rev + 1 }))
          return true
        },
        { erases: change.erased === true },
      ),

    listSessions: (uid, { limit, after }) =>
      read(() =>
        statements.sessionsOfUser
          .all({ uid, limit, last_activity: after?.lastActivity ?? Number.MAX_SAFE_INTEGER, sid: after?.sid ?? '' })
          .map(sessionOf),
      ),

    sessionByShare: (hash) =>
      read(() => {
        const row = statements.sessionByShare.one({ hash })
        return row && sessionOf(row)
      }),
  }
}
