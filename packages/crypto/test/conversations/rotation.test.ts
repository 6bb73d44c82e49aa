import { Unopenable } from '@chatbox/core'
import { keyIdOf } from '@chatbox/crypto'
import { describe, expect, it } from 'vitest'
import { ring } from '../rings.ts'
import { openConversations } from './open-conversations.ts'
import { session, sid, stub, turn } from './samples.ts'

async function withTurn() {
  const opened = await openConversations()
  await opened.sealed.createSession(session())
  await opened.sealed.insertTurn(turn(1))
  return opened
}

describe('a rotation of keys', () => {
  it('leaves all readable while the old key is in the ring, and nothing after', async () => {
    const { another, unopenable } = await withTurn()
    expect(await another({ keyring: ring('k2', 'k1') }).turn(sid, 1)).toEqual(turn(1))
    const without = another({ keyring: ring('k2') })
    await expect(without.turn(sid, 1)).rejects.toBeInstanceOf(Unopenable)
    expect(await without.session(sid)).toMatchObject({ sid, rev: 0 })
    expect(unopenable).toEqual(['data-key', 'data-key'])
  })

  it('wraps the key of a session again, after which the old key can go; rev and content stay', async () => {
    const { inner, another } = await withTurn()
    const before = { turn: await inner.turn(sid, 1), session: await inner.session(sid) }
    const rotating = another({ keyring: ring('k2', 'k1') })
    expect(await rotating.rewrap(sid)).toBe('rewrapped')
    expect(await rotating.rewrap(sid)).toBe('current')

    const { key, ...row } = (await inner.session(sid)) ?? { key: new Uint8Array() }
    expect(keyIdOf(key)).toBe('k2')
    expect({ ...row, key: before.session?.key }).toEqual(before.session)
    expect(await inner.turn(sid, 1)).toEqual(before.turn)
    expect(await another({ keyring: ring('k2') }).turn(sid, 1)).toEqual(turn(1))
  })

  it('may be done by several at once', async () => {
    const { another } = await withTurn()
    const rotating = Array.from({ length: 5 }, () => another({ keyring: ring('k2', 'k1') }))
    const done = await Promise.all(rotating.map(({ rewrap }) => rewrap(sid)))
    expect(done.toSorted()).toEqual(['current', 'current', 'current', 'current', 'rewrapped'])
    expect(await another({ keyring: ring('k2') }).turn(sid, 1)).toEqual(turn(1))
  })

  it('does not bring back a session that is erased meanwhile', async () => {
    const { inner, another, sealed } = await withTurn()
    const rotating = another({
      keyring: ring('k2', 'k1'),
      between: {
        changeKey: async (...given) => {
          await sealed.eraseTurns(sid, stub(3))
          return inner.changeKey(...given)
        },
      },
    })
    expect(await rotating.rewrap(sid)).toBe('gone')
    expect((await inner.session(sid))?.key.length).toBe(0)
  })

  it('refuses a key that does not open, rather than lose it', async () => {
    const { inner, another } = await withTurn()
    await expect(another({ keyring: ring('k3', 'k2') }).rewrap(sid)).rejects.toBeInstanceOf(Unopenable)
    expect(keyIdOf((await inner.session(sid))?.key ?? new Uint8Array())).toBe('k1')
  })
})
