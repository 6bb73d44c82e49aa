import { Unopenable } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { ring } from '../rings.ts'
import { openConversations } from './open-conversations.ts'
import { session, sid, turn } from './samples.ts'

async function withTurn() {
  const opened = await openConversations()
  await opened.sealed.createSession(session())
  await opened.sealed.insertTurn(turn(1))
  return opened
}

describe('a key that is not in the ring', () => {
  it('opens nothing of what it has wrapped, which reads as ever while it is', async () => {
    const { another, unopenable } = await withTurn()
    expect(await another({ keyring: ring('k2', 'k1') }).turn(sid, 1)).toEqual(turn(1))
    const without = another({ keyring: ring('k2') })
    await expect(without.turn(sid, 1)).rejects.toBeInstanceOf(Unopenable)
    expect(await without.session(sid)).toMatchObject({ sid, rev: 0 })
    expect(unopenable).toEqual(['data-key', 'data-key'])
  })
})
