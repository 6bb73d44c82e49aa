import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Author,
  clientMessageId,
  defaultAnswerLimits,
  emptyTotals,
  kindOf,
  MAX_WAITING,
  newSession,
  planSend,
  sameBody,
  sessionId,
  type Totals,
  type Utterance,
  userId,
  withTurn,
} from '../src/index.ts'

const session = newSession(sessionId('s'), userId('u'), 3, 'demo', 1_000)
const said = (text: string, author: Exclude<Author, 'system'> = 'user'): Utterance => ({
  author,
  authorId: userId('u'),
  cmid: clientMessageId(`id of ${text}`),
  kind: 'text',
  content: { text },
})

function inserted(totals: Totals, utterance: Utterance, on = session) {
  const plan = planSend(on, totals, utterance, 5_000, defaultAnswerLimits)
  if (plan.kind !== 'insert') throw new Error(plan.code)
  return plan.turn
}

describe('the plan of a sending', () => {
  it('gives a question two places and its answer the second, and starts the clock of the first one only (R1, R16, R17)', () => {
    const first = inserted(emptyTotals, said('one'))
    expect(first).toMatchObject({ seq: 1, width: 2, answer: { status: 'pending', attempt: 0, n: 0 } })
    expect(first.answer?.due).toBe(5_000 + defaultAnswerLimits.maxQueueMs + defaultAnswerLimits.totalMs)
    const second = inserted(withTurn(emptyTotals, first), said('two'))
    expect(second).toMatchObject({ seq: 3, width: 2 })
    expect(second.answer?.due).toBeUndefined()
  })

  it('asks no model while a human has the session, nor for what a human says', () => {
    const assisted = { ...session, adminAssisted: true }
    expect(inserted(emptyTotals, said('help'), assisted)).toMatchObject({ width: 1 })
    expect(inserted(emptyTotals, said('hello', 'admin')).answer).toBeUndefined()
  })

  it('is a refusal in a session that ended or was erased, and when too many answers wait', () => {
    const plan = (on: typeof session, totals: Totals) => planSend(on, totals, said('x'), 5_000, defaultAnswerLimits)
    expect(plan({ ...session, endTs: 1 }, emptyTotals)).toEqual({ kind: 'refuse', code: 'session_ended' })
    expect(plan({ ...session, erased: true }, emptyTotals)).toEqual({ kind: 'refuse', code: 'session_ended' })
    let totals = emptyTotals
    for (let i = 0; i <= MAX_WAITING; i++) totals = withTurn(totals, inserted(totals, said(`${i}`)))
    expect(plan(session, totals)).toEqual({ kind: 'refuse', code: 'busy' })
    expect(plan({ ...session, adminAssisted: true }, totals).kind).toBe('insert')
  })

  it('leaves no gap and no overlap, whoever speaks (P3)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ author: fc.constantFrom('user' as const, 'admin' as const), human: fc.boolean() })),
        (steps) => {
          let totals: Totals = emptyTotals
          let expected = 1
          for (const [i, { author, human }] of steps.entries()) {
            const on = { ...session, adminAssisted: human }
            const plan = planSend(on, totals, said(`${i}`, author), i, defaultAnswerLimits)
            if (plan.kind === 'refuse') continue
            expect(plan.turn.seq).toBe(expected)
            expected += plan.turn.width
            totals = withTurn(totals, plan.turn)
          }
          expect(totals.nextSeq).toBe(expected)
        },
      ),
    )
  })

  it('gives the same answer the same id each time it is made, and different ones different ids (R12)', () => {
    const id = (text: string) => inserted(emptyTotals, said(text)).answer?.answerId
    expect(id('a')).toBe(id('a'))
    expect(id('a')).not.toBe(id('b'))
  })
})

describe('a body', () => {
  const file = { fileId: 'f', url: 'https://x/y', name: 'n', mimeType: 'text/plain', size: 1 }
  const body = { kind: 'file' as const, content: { text: 'a', files: [file] } }

  it('is the same by kind, text, metadata and every field of every file (R5)', () => {
    expect(sameBody(body, structuredClone(body))).toBe(true)
    expect(sameBody(body, { ...body, kind: 'voice' })).toBe(false)
    expect(sameBody(body, { ...body, content: { ...body.content, text: 'b' } })).toBe(false)
    expect(sameBody(body, { ...body, content: { text: 'a' } })).toBe(false)
    expect(sameBody(body, { ...body, content: { text: 'a', files: [file, file] } })).toBe(false)
    const noted = (metadata: Record<string, string>) => ({ ...body, content: { ...body.content, metadata } })
    expect(sameBody(noted({ a: '1' }), noted({ a: '1' }))).toBe(true)
    expect(sameBody(noted({ a: '1' }), noted({ a: '2' }))).toBe(false)
    expect(sameBody(noted({ a: '1' }), body)).toBe(false)
    for (const key of Object.keys(file) as (keyof typeof file)[]) {
      const other = { ...file, [key]: key === 'size' ? 2 : 'other' }
      expect([key, sameBody(body, { ...body, content: { text: 'a', files: [other] } })]).toEqual([key, false])
    }
  })

  it('with a file of an audio type is a voice message (M10)', () => {
    expect(kindOf(undefined)).toBe('text')
    expect(kindOf([])).toBe('text')
    expect(kindOf([file])).toBe('file')
    expect(kindOf([file, { fileId: 'v', mimeType: 'audio/ogg' }])).toBe('voice')
  })
})
