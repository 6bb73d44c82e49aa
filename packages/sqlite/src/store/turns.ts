import type { Inserted, PendingAnswer, SealedConversations, SessionId, Totals, TurnPlace } from '@chatbox/core'
import { answerId, sessionId } from '@chatbox/core'
import type { Row } from '../driver.ts'
import { columnsOf } from '../row.ts'
import type { Statements } from '../sql/index.ts'
import type { Access } from './access.ts'
import { withSuperseded } from './superseded.ts'
import { type SealedTurn, turnOf, turnParams } from './turn-row.ts'

type Turns = Pick<
  SealedConversations,
  | 'insertTurn'
  | 'turn'
  | 'turnByClientMessageId'
  | 'turnByAnswerId'
  | 'turns'
  | 'totals'
  | 'tokensSince'
  | 'unsettledOf'
>

export function turns({ statements, read, write }: Access): Turns {
  const whole = (row: Row | undefined) => row && withSuperseded(statements, [row])[0]
  return {
    insertTurn: (turn) => write(() => insert(statements, turn)),

    turn: (sid, seq) => read(() => whole(statements.turnAt.one({ sid, seq }))),

    turnByClientMessageId: (author_id, cmid) => read(() => whole(statements.turnByCmid.one({ author_id, cmid }))),

    turnByAnswerId: (sid, answer_id) => read(() => whole(rowByAnswer(statements, sid, answer_id))),

    turns: (sid, { limit, before = Number.MAX_SAFE_INTEGER, after, current }) =>
      read(() => {
        const rows =
          after === undefined
            ? statements.turnsDown.all({ sid, before, limit })
            : statements.turnsUp.all({ sid, before, after, limit })
        return current ? rows.map((row) => turnOf(row, [])) : withSuperseded(statements, rows)
      }),

    totals: (sid) => read(() => totals(statements, sid)),

    tokensSince: (author_id, since) =>
      read(() =>
        sumOf(
          [
            statements.tokensSince.one({ author_id, since }),
            statements.supersededTokensSince.one({ author_id, since }),
          ],
          'tokens',
        ),
      ),

    unsettledOf: (partition, limit, after = BEFORE_ALL) =>
      read(() => {
        const { ts, sid, seq } = after
        return withSuperseded(statements, statements.unsettledOfPartition.all({ partition, limit, ts, sid, seq }))
      }),
  }
}

const BEFORE_ALL: TurnPlace = { ts: Number.MIN_SAFE_INTEGER, sid: sessionId(''), seq: 0 }

export function rowByAnswer(statements: Statements, sid: SessionId, answer_id: string): Row | undefined {
  return statements.turnByAnswer.one({ sid, answer_id }) ?? statements.turnBySuperseded.one({ sid, answer_id })
}

/**
 * Not only an equal seq is refused, but also a place that lies inside another row's width, or reaches into it. Whoever computes
 * a seq from a row that is stored never asks for such a place: the next seq after any row is either free or that of the row
 * after it (R1). A caller that counted on an insert that failed might; two messages with one seq could not be mended later, and
 * looking costs one step in the index that the insert visits anyhow.
 */
function insert(statements: Statements, turn: SealedTurn): Inserted {
  const { sid, seq, width, authorId, cmid } = turn
  if (cmid !== undefined && statements.turnByCmid.one({ author_id: authorId, cmid })) return { kind: 'sent-before' }
  const below = statements.turnBelow.one({ sid, end: seq + width })
  if (below && nextAfter(below) > seq) return { kind: 'place-taken' }
  statements.insertTurn.run(turnParams(turn))
  return { kind: 'inserted' }
}

export const nextAfter = (row: Row): number => columnsOf(row).number('seq') + columnsOf(row).number('width')

function totals(statements: Statements, sid: SessionId): Totals {
  const last = statements.lastTurn.one({ sid })
  const spent = [statements.spentInTurns.one({ sid }), statements.spentInSuperseded.one({ sid })]
  return {
    lastSeq: last ? columnsOf(last).number('seq') : 0,
    nextSeq: last ? nextAfter(last) : 1,
    totalTokens: sumOf(spent, 'tokens'),
    totalCost: sumOf(spent, 'cost'),
    pending: statements.pendingOfSession.all({ sid }).map((row): PendingAnswer => {
      const columns = columnsOf(row)
      return { sid, seq: columns.number('seq'), answerId: answerId(columns.text('answer_id')) }
    }),
  }
}

const sumOf = (rows: readonly (Row | undefined)[], column: 'tokens' | 'cost'): number =>
  rows.reduce((sum, row) => sum + (row ? columnsOf(row).number(column) : 0), 0)
