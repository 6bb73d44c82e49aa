import type { Document } from 'mongodb'
import type { Access } from '../access.ts'
import { queries, type TurnTarget } from '../queries.ts'
import { type Change, changes } from './changes.ts'

export type ChangeTurn = (change: Change<TurnTarget>) => Promise<boolean>

/** Every change of a turn or of its answer that arrives with others is in one command with them. Each leaves its mark in the row. */
export const turnChanges = (access: Access): ChangeTurn =>
  changes<TurnTarget>(access, {
    what: 'change a turn',
    collection: 'messages',
    keyOf: ({ sid }) => sid,
    rows: queries.changedTurns,
    projection: { resealOp: 1, ...marksUnder('answer'), ...marksUnder('superseded') },
    // An answer may have been superseded since.
    marksOf: ({ resealOp, answer, superseded = [] }) => [resealOp, ...[answer ?? {}, ...superseded].flatMap(marksOf)],
  })

const ANSWER_MARKS = ['beginOp', 'changeOp', 'endOp', 'rateOp'] as const

const marksUnder = (path: string) => Object.fromEntries(ANSWER_MARKS.map((mark) => [`${path}.${mark}`, 1]))

const marksOf = (answer: Document): unknown[] => ANSWER_MARKS.map((mark) => answer[mark])
