import { describe, expect, it } from 'vitest'
import {
  type Answer,
  clientMessageId,
  defaultAnswerLimits,
  emptyTotals,
  newSession,
  planRegenerate,
  planSend,
  requestId,
  type Session,
  sessionId,
  type Totals,
  type Turn,
  userId,
} from '../src/index.ts'

const session = newSession(sessionId('s'), userId('u'), 3, 'demo', 1_000)

function question(on: Session = session): Turn {
  const said = { author: 'user', authorId: userId('u'), cmid: clientMessageId('c'), kind: 'text' } as const
  const plan = planSend(on, emptyTotals, { ...said, content: { text: 'why?' } }, 2_000, defaultAnswerLimits)
  if (plan.kind !== 'insert') throw new Error(plan.code)
  return plan.turn
}

function answered(status: Answer['status'] = 'done'): Turn {
  const turn = question()
  if (!turn.answer) throw new Error('nobody is asked')
  return { ...turn, answer: { ...turn.answer, status } }
}

const plan = (turn: Turn, on: Session = session, totals: Totals = emptyTotals) =>
  planRegenerate(on, totals, turn, { wish: requestId('w') }, 5_000, defaultAnswerLimits)

const refused = (code: string) => ({ kind: 'refuse', code })

describe('the plan of another answer (R19)', () => {
  it.each(['done', 'failed', 'cancelled'] as const)('takes the place of one that is %s', (status) => {
    const turn = answered(status)
    expect(plan(turn)).toMatchObject({ kind: 'supersede', old: turn.answer, answer: { status: 'pending', attempt: 0 } })
  })

  it('is a refusal while the answer is pending, or another one of the session', () => {
    expect(plan(answered('pending'))).toEqual(refused('conflict'))
    const { sid, seq, answer } = answered()
    const pending = answer ? [{ sid, seq, answerId: answer.answerId }] : []
    expect(plan(answered(), session, { ...emptyTotals, pending })).toEqual(refused('busy'))
  })

  it('is a refusal while a human has the session, whatever was answered before', () => {
    expect(plan(answered(), { ...session, adminAssisted: true })).toEqual(refused('conflict'))
  })

  it('is a refusal where no answer was asked for, also when the human has left', () => {
    const turn = question({ ...session, adminAssisted: true })
    expect(turn.width).toBe(1)
    expect(plan(turn)).toEqual(refused('conflict'))
  })

  it('is a refusal in a session that ended or was erased', () => {
    expect(plan(answered(), { ...session, endTs: 1 })).toEqual(refused('session_ended'))
    expect(plan(answered(), { ...session, erased: true })).toEqual(refused('session_ended'))
  })
})
