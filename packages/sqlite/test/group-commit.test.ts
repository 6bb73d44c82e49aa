import type { SealedConversations } from '@chatbox/core'
import { sealedSession, sealedTurn } from '@chatbox/testkit/rows'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSqlite } from '../src/index.ts'
import { someFile } from './lib/folder.ts'

async function opened() {
  const store = await openSqlite({ file: someFile() })
  onTestFinished(() => store.close())
  return store
}
const withSession = async (conversations: SealedConversations) => {
  const session = sealedSession()
  await conversations.createSession(session)
  return session.sid
}

describe('writes', () => {
  it('that are asked for at once share commits: 500 turns in 3', async () => {
    const { conversations, counts } = await opened()
    const sid = await withSession(conversations)
    const before = { ...counts }
    const inserted = await Promise.all(
      Array.from({ length: 500 }, (_, i) => conversations.insertTurn(sealedTurn(sid, i + 1))),
    )
    expect(inserted.every(({ kind }) => kind === 'inserted')).toBe(true)
    expect(counts.writes - before.writes).toBe(500)
    expect(counts.commits - before.commits).toBe(3)
  })

  it('of one commit see each other, in the order in which they were asked for', async () => {
    const { conversations, leases, counts } = await opened()
    const session = sealedSession()
    const { sid } = session
    const before = counts.commits
    const outcomes = await Promise.all([
      conversations.createSession(session),
      conversations.insertTurn(sealedTurn(sid, 1)),
      conversations.insertTurn(sealedTurn(sid, 1)),
      conversations.changeSession(sid, 0, { msgCount: 1 }),
      conversations.changeSession(sid, 1, { msgCount: 2 }),
      leases.partitionCount(64),
    ])
    expect(outcomes).toEqual(['created', { kind: 'inserted' }, { kind: 'place-taken' }, true, true, 64])
    expect(counts.commits - before).toBe(1)
  })

  it('are not seen before their commit', async () => {
    const { conversations } = await opened()
    const session = sealedSession()
    const creating = conversations.createSession(session)
    expect(await conversations.session(session.sid)).toBeUndefined()
    await creating
    expect(await conversations.session(session.sid)).toBeDefined()
  })

  it('that fail are undone alone and whole, and those beside them are kept', async () => {
    const { conversations, counts } = await opened()
    const sid = await withSession(conversations)
    const first = sealedTurn(sid, 1)
    await conversations.insertTurn(first)
    const before = counts.commits
    const outcomes = await Promise.allSettled([
      conversations.insertTurn(sealedTurn(sid, 2)),
      conversations.insertTurn(sealedTurn(sealedSession().sid, 1)),
      // The time is no whole number: that is found when the rows before it have been emptied already.
      conversations.eraseTurns(sid, sealedTurn(sid, 3, { ts: 0.5 })),
      conversations.insertTurn(sealedTurn(sid, 3)),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect(counts.commits - before).toBe(1)
    expect(await conversations.turn(sid, 1)).toEqual(first)
    expect(await conversations.turns(sid, { limit: 9 })).toHaveLength(3)
  })

  it('that were waiting when the store was closed are kept; later ones are refused, and so are reads', async () => {
    const file = someFile()
    const { conversations, close } = await openSqlite({ file })
    const session = sealedSession()
    const creating = conversations.createSession(session)
    const closing = [close(), conversations.close()]
    await expect(conversations.createSession(session)).rejects.toMatchObject({ name: 'StoreError', code: 'closed' })
    await expect(conversations.session(session.sid)).rejects.toMatchObject({ code: 'closed' })
    await expect(conversations.ping()).rejects.toMatchObject({ code: 'closed' })
    await Promise.all(closing)
    expect(await creating).toBe('created')
    const again = await openSqlite({ file })
    expect(await again.conversations.session(session.sid)).toBeDefined()
    await again.close()
  })
})
