import { Unopenable } from '@chatbox/core'
import { keyIdOf } from '@chatbox/crypto'
import { describe, expect, it } from 'vitest'
import { other, session, sid, stub, turn } from '../conversations/samples.ts'
import { ring, ringUsing } from '../rings.ts'
import { openRotating, sealedBy, withTurns } from './opened.ts'

describe('a rotation', () => {
  it('wraps the keys of all sessions again, after which the old key can go; rev and values stay', async () => {
    const { inner, another, rotate } = await withTurns()
    const before = { turn: await inner.turn(sid, 1), session: await inner.session(sid) }
    expect(await rotate()).toEqual({ rewrapped: 2, resealed: 0, finished: 0, unopenable: 0, left: 0 })
    expect(await rotate()).toEqual({ rewrapped: 0, resealed: 0, finished: 0, unopenable: 0, left: 0 })

    const row = await inner.session(sid)
    expect(keyIdOf(row?.key ?? new Uint8Array())).toBe('k2')
    expect({ ...row, key: before.session?.key }).toEqual({ ...before.session, keyId: 'k2' })
    expect(await inner.turn(sid, 1)).toEqual(before.turn)
    expect(await inner.keysInUse()).toEqual(new Map([['k2', 2]]))
    const reader = another({ keyring: ring('k2') })
    expect((await reader.turn(sid, 1))?.content).toEqual(turn(1).content)
    expect((await reader.session(other))?.nm).toBe(session().nm)
  })

  it('uses the key that is said to be current, be it not the first', async () => {
    const { inner, rotate } = await withTurns()
    expect(await rotate({ keyring: ringUsing('k1', 'k2', 'k1') })).toMatchObject({ rewrapped: 0, left: 0 })
    expect(await inner.keysInUse()).toEqual(new Map([['k1', 2]]))
  })

  it('may be done by several at once, and wraps each session once', async () => {
    const { another, rotate } = await withTurns()
    const reports = await Promise.all(Array.from({ length: 5 }, () => rotate()))
    expect(reports.reduce((sum, { rewrapped }) => sum + rewrapped, 0)).toBe(2)
    expect(reports.map(({ left }) => left)).toEqual([0, 0, 0, 0, 0])
    expect((await another({ keyring: ring('k2') }).turn(sid, 1))?.content).toEqual(turn(1).content)
  })

  it('finds the sessions that are made under the old key while it goes on', async () => {
    const { inner, sealed, rotate } = await withTurns()
    let made = 0
    const report = await rotate({
      conversations: {
        ...inner,
        async changeKey(...given) {
          made += 1
          if (made <= 3) await sealed.createSession(session(`a-${made}` as typeof sid))
          return inner.changeKey(...given)
        },
      },
    })
    expect(report).toMatchObject({ rewrapped: 5, left: 0 })
    expect(await inner.keysInUse()).toEqual(new Map([['k2', 5]]))
  })

  it('does not bring back a session that is erased meanwhile', async () => {
    const { inner, sealed, rotate } = await withTurns()
    const report = await rotate({
      atOnce: 1,
      conversations: {
        ...inner,
        async changeKey(...given) {
          await sealed.eraseTurns(given[0], stub(5))
          return inner.changeKey(...given)
        },
      },
    })
    expect(report).toEqual({ rewrapped: 0, resealed: 0, finished: 0, unopenable: 0, left: 0 })
    expect((await inner.session(sid))?.key.length).toBe(0)
  })

  it('goes on past sessions that do not open, leaves them as they are, and says which', async () => {
    const { inner, another, rotate } = await withTurns()
    const third = another({ keyring: ring('k3') })
    const lost = session('lost' as typeof sid)
    await third.createSession(lost)
    const before = await inner.session(lost.sid)
    const named: string[] = []
    const report = await rotate({ onUnopenable: (id) => named.push(id) })
    expect(report).toEqual({ rewrapped: 2, resealed: 0, finished: 0, unopenable: 1, left: 1 })
    expect(named).toEqual(['lost'])
    expect(await inner.session(lost.sid)).toEqual(before)
    expect((await third.session(lost.sid))?.nm).toBe(lost.nm)
  })

  it('tells how far it is after each session, and in the end', async () => {
    const { rotate } = await withTurns()
    const told: [number, number][] = []
    const report = await rotate({ atOnce: 1, onProgress: ({ rewrapped, left }) => told.push([rewrapped, left]) })
    expect(told).toEqual([
      [1, 1],
      [2, 0],
      [report.rewrapped, report.left],
    ])
  })

  it('makes no more calls of the database a second than it was told', async () => {
    const { inner, rotate } = await openRotating()
    let calls = 0
    const since = performance.now()
    await rotate({
      perSecond: 100,
      conversations: {
        ...inner,
        async keysInUse() {
          calls += 1
          return inner.keysInUse()
        },
        async keyedBy() {
          calls += 1
          return calls < 30 ? Array.from({ length: 100 }, () => sid) : []
        },
        async session() {
          calls += 1
          return undefined
        },
      },
      values: true,
    })
    // A timer may be early by less than its millisecond.
    expect(performance.now() - since).toBeGreaterThanOrEqual((calls - 1) * 10 - 2)
    expect(calls).toBeGreaterThan(10)
  })

  it('ends between two calls when it is told to, and says nothing but that', async () => {
    const { inner, another, rotate } = await withTurns()
    const ending = new AbortController()
    const reason = new Error('enough')
    let calls = 0
    const aborted = rotate({
      atOnce: 1,
      signal: ending.signal,
      conversations: {
        ...inner,
        async changeKey(...given) {
          calls += 1
          ending.abort(reason)
          return inner.changeKey(...given)
        },
      },
    })
    await expect(aborted).rejects.toBe(reason)
    expect(calls).toBe(1)
    expect(await inner.keysInUse()).toEqual(
      new Map([
        ['k1', 1],
        ['k2', 1],
      ]),
    )
    expect(await rotate()).toMatchObject({ rewrapped: 1, left: 0 })
    await expect(another({ keyring: ring('k1') }).turn(sid, 1)).rejects.toBeInstanceOf(Unopenable)
  })

  it('says which key a session is sealed by where the row says another', async () => {
    const { inner, rotate } = await withTurns()
    const row = await inner.session(sid)
    if (!row) throw new Error('there is no such session')
    await rotate()
    const wrapped = (await inner.session(sid))?.key ?? new Uint8Array()
    await inner.changeKey(sid, wrapped, wrapped, 'k1')
    expect(await rotate()).toMatchObject({ rewrapped: 1, left: 0 })
    expect((await sealedBy(inner, sid, ring('k2'))).ring).toEqual(['k2', 'k2'])
  })
})
