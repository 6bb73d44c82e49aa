import { readFileSync } from 'node:fs'
import { answerId, clientMessageId, userId } from '@chatbox/core'
import { sealedQuestion, sealedSession } from '@chatbox/testkit/rows'
import { Binary, type Document, ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { sessionDocument } from '../src/documents/session.ts'
import { turnDocument } from '../src/documents/turn.ts'
import { indexes } from '../src/indexes.ts'
import { everyQuery } from './support/every-query.ts'

const sections = readFileSync(new URL('../../../docs/data-model.md', import.meta.url), 'utf8').split('\n## ')

/** The names in each cell of a section's table. */
function rowsOf(heading: string): string[][] {
  const section = sections.find((each) => each.startsWith(`${heading}\n`)) ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('| `'))
  return lines.map((line) =>
    line.split(' | ').map((cell) => (cell.match(/`[^`]+`/g) ?? []).join(' ').replaceAll('`', '')),
  )
}

const fieldsOf = (heading: string): string[] =>
  rowsOf(heading)
    .flatMap(([field]) => field || [])
    .sort()

function pathsIn(document: Document, path = ''): string[] {
  return Object.entries(document).flatMap(([name, value]) => {
    const isInner =
      typeof value === 'object' && !Array.isArray(value) && !(value instanceof Binary || value instanceof ObjectId)
    return isInner ? pathsIn(value, `${path}${name}.`) : [`${path}${name}`]
  })
}

const some = new Uint8Array([1])
const mark = new ObjectId()

describe('docs/data-model.md', () => {
  it('has every field of a session, and no other', () => {
    const session = sealedSession({
      ...{ nm: some, preview: some, assistingAdminName: some, assistingAdminId: userId('wanda'), endTs: 5 },
      share: { hash: 'hash', until: 5 },
    })
    expect(fieldsOf('Sessions')).toEqual([...pathsIn(sessionDocument(session, mark)), 'keyOp', 'sealOp'].sort())
  })

  it('has every field of a turn, and no other', () => {
    const question = sealedQuestion(sealedSession().sid, 1, { cmid: clientMessageId('c-1'), event: 'any' })
    const answer = {
      ...{ ...question.answer, answerId: answerId('a-1'), due: 5, cancelAt: 5, endedAt: 5, text: some, thread: some },
      usage: { inputTokens: 1, outputTokens: 1, estimated: false, cost: 1 },
      notices: ['context_trimmed'],
      feedback: { rating: 'up', comment: some, ts: 5 },
      error: 'internal',
    } as const
    const written = pathsIn(turnDocument({ ...question, answer }, mark))
    const marks = ['beginOp', 'changeOp', 'endOp', 'rateOp', 'placeOp'].map((name) => `answer.${name}`)
    expect(fieldsOf('Turns')).toEqual([...written, ...marks, 'erased', 'resealOp'].sort())
  })

  it('has every index, and the queries that go by it', () => {
    const names = Object.values(indexes).flatMap((list) => list.map(({ name }) => name))
    const known = ['_id_', ...names].map((index) => {
      const queries = everyQuery.flatMap(([name, , ...found]) => (found.some((each) => each === index) ? [name] : []))
      return [index, [...new Set(queries)].sort()]
    })
    const told = rowsOf('Indexes of MongoDB').map(([index = '', , queries = '']) => [
      index,
      queries.split(' ').filter(Boolean).sort(),
    ])
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(known))
  })
})
