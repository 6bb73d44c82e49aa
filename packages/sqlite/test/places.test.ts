import { sealedQuestion, sealedSession, sealedTurn } from '@chatbox/testkit/rows'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSqlite } from '../src/index.ts'
import { someFile } from './lib/folder.ts'

async function sessionWithAQuestionAt5() {
  const { conversations, close } = await openSqlite({ file: someFile() })
  onTestFinished(close)
  const { sid } = sealedSession()
  await conversations.createSession(sealedSession({ sid }))
  for (const turn of [sealedTurn(sid, 3), sealedQuestion(sid, 5), sealedTurn(sid, 8)]) {
    await conversations.insertTurn(turn)
  }
  return { conversations, sid }
}

// The contract asks for a refusal at an equal seq alone; why this adapter does more is told at its insert.
describe('a place', () => {
  it('inside the width of a row is taken', async () => {
    const { conversations, sid } = await sessionWithAQuestionAt5()
    for (const turn of [sealedTurn(sid, 6), sealedQuestion(sid, 6)]) {
      expect(await conversations.insertTurn(turn)).toEqual({ kind: 'place-taken' })
    }
  })

  it('that would reach into a row is taken', async () => {
    const { conversations, sid } = await sessionWithAQuestionAt5()
    for (const seq of [2, 4, 7]) {
      expect(await conversations.insertTurn(sealedQuestion(sid, seq))).toEqual({ kind: 'place-taken' })
    }
  })

  it('beside a row is free', async () => {
    const { conversations, sid } = await sessionWithAQuestionAt5()
    for (const turn of [sealedQuestion(sid, 1), sealedTurn(sid, 4), sealedTurn(sid, 7), sealedQuestion(sid, 9)]) {
      expect(await conversations.insertTurn(turn)).toEqual({ kind: 'inserted' })
    }
  })

  it('is given to one of two owners who see different rows, one of them a question', async () => {
    for (const [first, second] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const { conversations, sid } = await sessionWithAQuestionAt5()
      const racing = [sealedQuestion(sid, 9), sealedTurn(sid, 10)]
      const turns = [racing[first], racing[second]].flatMap((turn) => turn ?? [])
      const outcomes = await Promise.all(turns.map((turn) => conversations.insertTurn(turn)))
      expect(outcomes.map(({ kind }) => kind)).toEqual(['inserted', 'place-taken'])
    }
  })
})
