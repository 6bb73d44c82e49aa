import { replicaId, type SessionId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { openSqlite, type Sqlite } from '../src/index.ts'
import { someFolder } from './lib/folder.ts'
import { sealedQuestion, sealedSession } from './lib/rows.ts'

/** A session with an answer that has ended, and whose row was not brought up to date any more. */
async function halfWritten({ conversations }: Sqlite): Promise<SessionId> {
  const session = sealedSession()
  const question = sealedQuestion(session.sid, 1, { ts: 50 })
  await conversations.createSession(session)
  await conversations.insertTurn(question)
  await conversations.endAnswer(session.sid, question.answer.answerId, {
    status: 'done',
    text: new Uint8Array([1]),
    usage: { inputTokens: 3, outputTokens: 4, estimated: false },
    endedAt: 90,
  })
  return session.sid
}

describe('a start after a crash', () => {
  it('corrects the sums that were left behind, once, and leaves rows alone that are right (R3)', async () => {
    const { file, remove } = someFolder()
    const first = await openSqlite({ file })
    await first.leases.acquire(0, replicaId('crashes'), 3_600_000)
    const sid = await halfWritten(first)
    const right = sealedSession()
    await first.conversations.createSession(right)
    await first.close()

    const second = await openSqlite({ file })
    expect(await second.takeOver()).toEqual({ crashed: true, corrected: 1 })
    expect(await second.conversations.session(sid)).toMatchObject({
      totalTokens: 7,
      msgCount: 2,
      lastActivity: 90,
      rev: 1,
    })
    expect(await second.conversations.session(right.sid)).toMatchObject({ rev: 0 })
    expect(await second.takeOver()).toEqual({ crashed: false, corrected: 0 })
    await second.close()
    remove()
  })

  it('is told from one after a stop, which checks nothing', async () => {
    const { file, remove } = someFolder()
    const first = await openSqlite({ file })
    const lease = await first.leases.acquire(0, replicaId('stops'), 3_600_000)
    if (lease) await first.leases.release(lease)
    await first.close()
    const second = await openSqlite({ file })
    expect(await second.takeOver()).toEqual({ crashed: false, corrected: 0 })
    await second.close()
    remove()
  })
})
