import type { Row } from '../driver.ts'
import { columnsOf } from '../row.ts'
import type { Statements } from '../sql/index.ts'
import { type SealedTurn, turnOf } from './turn-row.ts'

interface Span {
  low: number
  high: number
}

/**
 * Rows as turns, with the answers that were superseded. Those are in a table of their own, because an update writes its whole
 * row again, and an answer may be long. One query for each session among the rows.
 */
export function withSuperseded(statements: Statements, rows: readonly Row[]): SealedTurn[] {
  const spans = new Map<string, Span>()
  for (const row of rows) {
    const { sid, seq } = placeOf(row)
    const span = spans.get(sid)
    spans.set(sid, { low: Math.min(seq, span?.low ?? seq), high: Math.max(seq, span?.high ?? seq) })
  }
  const bySid = new Map(Array.from(spans, ([sid, span]) => [sid, bySeq(statements, sid, span)]))
  return rows.map((row) => {
    const { sid, seq } = placeOf(row)
    return turnOf(row, bySid.get(sid)?.get(seq) ?? [])
  })
}

function bySeq(statements: Statements, sid: string, { low, high }: Span): Map<number, Row[]> {
  const found = new Map<number, Row[]>()
  for (const row of statements.supersededBetween.all({ sid, low, high })) {
    const { seq } = placeOf(row)
    const others = found.get(seq)
    if (others) others.push(row)
    else found.set(seq, [row])
  }
  return found
}

function placeOf(row: Row): { sid: string; seq: number } {
  const columns = columnsOf(row)
  return { sid: columns.text('sid'), seq: columns.number('seq') }
}
