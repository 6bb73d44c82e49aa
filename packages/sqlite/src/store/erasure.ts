import { type SealedConversations, sessionId } from '@chatbox/core'
import { columnsOf } from '../row.ts'
import type { Access } from './access.ts'
import { turnParams } from './turn-row.ts'
import { nextAfter } from './turns.ts'

type Erasure = Pick<SealedConversations, 'eraseKey' | 'eraseTurns' | 'erasable' | 'forgetUser'>

/** The key first, then the rows, and at last whose they were (R22). */
export function erasure({ statements, read, write }: Access): Erasure {
  return {
    eraseKey: (sid) => write(() => void statements.eraseKey.run({ sid }), { erases: true }),

    eraseTurns: (sid, stub) =>
      write(
        () => {
          statements.cancelPending.run({ sid, ended_at: stub.ts })
          statements.blankTurns.run({ sid, event: stub.event ?? null })
          statements.blankSuperseded.run({ sid })
          const last = statements.lastTurn.one({ sid })
          if (last && last.event !== null && columnsOf(last).text('event') === stub.event) return
          const { cmid: _cmid, answer: _answer, ...row } = stub
          statements.insertTurn.run(
            turnParams({
              ...row,
              ...{ sid, seq: last ? nextAfter(last) : 1 },
              ...{ content: new Uint8Array(), superseded: [] },
            }),
          )
        },
        { erases: true },
      ),

    erasable: (query) =>
      read(() => {
        const { limit } = query
        const rows =
          'uid' in query
            ? statements.erasableOfUser.all({ uid: query.uid, limit })
            : statements.erasableOfPartition.all({ partition: query.partition, before: query.before, limit })
        return rows.map((row) => sessionId(columnsOf(row).text('sid')))
      }),

    forgetUser: (uid, alias) =>
      write(
        () => {
          statements.forgetAuthor.run({ uid, alias })
          statements.forgetSupersededAuthor.run({ uid, alias })
          // The last, for by it the others are found.
          statements.forgetOwner.run({ uid, alias })
        },
        { erases: true },
      ),
  }
}
