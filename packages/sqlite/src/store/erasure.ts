import type { SealedConversations } from '@chatbox/core'
import { columnsOf } from '../row.ts'
import type { Access } from './access.ts'
import { turnParams } from './turn-row.ts'
import { nextAfter } from './turns.ts'

/** The second step of an erasure; the first was the key (R22). */
export function erasure({ statements, write }: Access): Pick<SealedConversations, 'eraseTurns'> {
  return {
    eraseTurns: (sid, stub) =>
      write(
        () => {
          statements.cancelPending.run({ sid, ended_at: stub.ts })
          statements.blankTurns.run({ sid })
          statements.blankSuperseded.run({ sid })
          const last = statements.lastTurn.one({ sid })
          if (last && last.event !== null && columnsOf(last).text('event') === stub.event) return
          const { cmid: _cmid, answer: _answer, ...row } = stub
          statements.insertTurn.run(
            turnParams({ ...row, sid, seq: last ? nextAfter(last) : 1, content: new Uint8Array(), superseded: [] }),
          )
        },
        { erases: true },
      ),
  }
}
