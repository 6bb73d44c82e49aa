import { Unopenable } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { createWrapping } from '../../src/conversations/key-set.ts'
import { resealSession } from '../../src/rotation/reseal.ts'
import { other, session, sid, stub, turn } from '../conversations/samples.ts'
import { ring } from '../rings.ts'
import { KEY_TTL_MS, sealedBy, times, VALUES_EACH, withTurns } from './opened.ts'

const values = true
const both = ring('k2', 'k1')

describe('a rotation of values', () => {
  it('seals all of them by keys that the old key has never wrapped, and drops the old ones when nobody uses them', async () => {
    const { inner, another, rotate, pass, unopenable } = await withTurns()
    const before = await Promise.all([sid, other].map((id) => another().turns(id, { limit: 9 })))
    const first = await rotate({ values })
    const waitUntil = 1_000_000 + 2 * KEY_TTL_MS
    const resealed = 2 * VALUES_EACH
    expect(first).toEqual({ rewrapped: 2, resealed, finished: 0, unopenable: 0, left: 2, waitUntil })
    const held = await sealedBy(inner, sid, both)
    expect(held).toEqual({ ring: ['k2', 'k2'], keys: ['d2 k2', 'd1 k1'], values: times(VALUES_EACH, 'd2') })

    const waits = { rewrapped: 0, resealed: 0, finished: 0, unopenable: 0, left: 2, waitUntil }
    expect(await rotate({ values })).toEqual(waits)
    pass(2 * KEY_TTL_MS - 1)
    expect(await rotate({ values })).toEqual(waits)
    pass(1)
    expect(await rotate({ values })).toEqual({ rewrapped: 0, resealed: 0, finished: 2, unopenable: 0, left: 0 })
    expect(await sealedBy(inner, sid, ring('k2'))).toEqual({ ...held, keys: ['d2 k2'] })
    expect(await rotate({ values })).toEqual({ rewrapped: 0, resealed: 0, finished: 0, unopenable: 0, left: 0 })

    const reader = another({ keyring: ring('k2') })
    expect(await Promise.all([sid, other].map((id) => reader.turns(id, { limit: 9 })))).toEqual(before)
    expect(await reader.session(sid)).toMatchObject({ nm: session().nm, preview: 'a preview', rev: 0 })
    expect(unopenable).toEqual([])
  })

  it('leaves nothing that the keys of a copy from before would open', async () => {
    const { inner, another, rotate, pass } = await withTurns()
    const copy = await inner.session(sid)
    if (!copy) throw new Error('there is no such session')
    const writer = another({ keyring: both })
    await rotate({ values })
    await writer.insertTurn(turn(5))
    pass(2 * KEY_TTL_MS)
    await rotate({ values })
    const stolen = another({ keyring: ring('k1'), between: { session: async () => copy } })
    await expect(stolen.turn(sid, 1)).rejects.toBeInstanceOf(Unopenable)
    await expect(stolen.turn(sid, 5)).rejects.toBeInstanceOf(Unopenable)
  })

  it('asks nothing of sessions that were made under the current key', async () => {
    const { inner, rotate } = await withTurns()
    expect(await rotate({ keyring: ring('k1'), values })).toMatchObject({ resealed: 0, left: 0 })
    expect(await sealedBy(inner, sid, both)).toMatchObject({ keys: ['d1 k1'], values: times(VALUES_EACH, 'd1') })
  })

  it('goes on where another key is made current in the middle of it', async () => {
    const { inner, another, rotate, pass } = await withTurns()
    await rotate({ values })
    pass(10)
    const keyring = ring('k3', 'k2', 'k1')
    expect(await rotate({ values, keyring })).toMatchObject({ rewrapped: 2, resealed: 2 * VALUES_EACH, left: 2 })
    expect((await sealedBy(inner, sid, keyring)).keys).toEqual(['d3 k3', 'd2 k2', 'd1 k1'])
    pass(2 * KEY_TTL_MS - 1)
    // The oldest has waited long enough, the one that came after has not.
    expect(await rotate({ values, keyring })).toMatchObject({ finished: 0, left: 2 })
    pass(1)
    expect(await rotate({ values, keyring })).toMatchObject({ finished: 2, left: 0 })
    expect((await sealedBy(inner, sid, ring('k3'))).keys).toEqual(['d3 k3'])
    expect((await another({ keyring: ring('k3') }).turn(sid, 3))?.content).toEqual(turn(3).content)
  })

  it('may be done by several at once', async () => {
    const { inner, another, rotate, pass, unopenable } = await withTurns()
    const run = () => Promise.all(Array.from({ length: 4 }, () => rotate({ values })))
    expect((await run()).every(({ left }) => left === 2)).toBe(true)
    pass(2 * KEY_TTL_MS)
    const reports = await run()
    expect(reports.reduce((sum, { finished }) => sum + finished, 0)).toBe(2)
    for (const id of [sid, other]) {
      const { keys, values: carried } = await sealedBy(inner, id, ring('k2'))
      expect(keys).toEqual(['d2 k2'])
      expect(carried).toEqual(times(VALUES_EACH, 'd2'))
      expect(await another({ keyring: ring('k2') }).turns(id, { limit: 9 })).toHaveLength(2)
    }
    expect(unopenable).toEqual([])
  })

  it('leaves an erased session alone, also one that is erased meanwhile', async () => {
    const { inner, sealed, rotate, pass } = await withTurns()
    await sealed.eraseTurns(sid, stub(5))
    const report = await rotate({
      values,
      conversations: {
        ...inner,
        async resealTurn(...given) {
          await sealed.eraseTurns(given[0].sid, stub(5))
          return inner.resealTurn(...given)
        },
      },
    })
    expect(report).toMatchObject({ rewrapped: 1, unopenable: 0 })
    pass(2 * KEY_TTL_MS)
    expect(await rotate({ values })).toEqual({ rewrapped: 0, resealed: 0, finished: 0, unopenable: 0, left: 0 })
    for (const id of [sid, other]) {
      expect((await inner.session(id))?.key.length).toBe(0)
      for (const row of await inner.turns(id, { limit: 9 })) expect(row.content.length).toBe(0)
    }
  })

  it('reads again what was changed since it was read, and gives nothing up of it', async () => {
    const { inner, another, rotate, pass } = await withTurns()
    const writer = another({ keyring: both })
    await writer.turn(sid, 1)
    const words = ['first', 'second', 'third']
    const names = [...words]
    const meddling = {
      ...inner,
      async resealTurn(...given: Parameters<typeof inner.resealTurn>) {
        const [{ answer }] = given
        const comment = answer?.status === 'done' ? words.shift() : undefined
        if (answer && comment) await writer.rateAnswer(sid, answer.answerId, { rating: 'up', comment, ts: 1 })
        return inner.resealTurn(...given)
      },
      async resealNames(...given: Parameters<typeof inner.resealNames>) {
        const { rev = 0 } = (await inner.session(sid)) ?? {}
        const nm = names.shift()
        if (nm) await writer.changeSession(sid, rev, { nm })
        return inner.resealNames(...given)
      },
      keyedBy: async () => [sid],
    }
    await rotate({ values, conversations: meddling })
    expect([words, names]).toEqual([[], []])
    pass(2 * KEY_TTL_MS)
    expect(await rotate({ values })).toMatchObject({ finished: 1 })
    const reader = another({ keyring: ring('k2') })
    expect((await reader.session(sid))?.nm).toBe('third')
    expect((await reader.turn(sid, 1))?.answer?.feedback?.comment).toBe('third')
    expect((await sealedBy(inner, sid, both)).keys).toEqual(['d2 k2'])
  })

  it('takes a session of a hundred turns page by page, and counts what it seals', async () => {
    const { inner, sealed, rotate } = await withTurns()
    for (let seq = 5; seq < 205; seq += 2) await sealed.insertTurn(turn(seq))
    const named: unknown[] = []
    const report = await rotate({ values, onProgress: (progress) => named.push(progress) })
    expect(report.resealed).toBe(2 * VALUES_EACH + 100)
    expect(named.at(-1)).toEqual(report)
    expect((await sealedBy(inner, sid, both)).values).toEqual(times(VALUES_EACH + 100, 'd2'))
  })
})

describe('values that were moved or edited', () => {
  async function damaged() {
    const opened = await withTurns()
    const { inner } = opened
    const [one, two] = await Promise.all([inner.turn(sid, 1), inner.turn(sid, 3)])
    if (!one?.answer || !two) throw new Error('the turns are not there')
    const edited = new Uint8Array(one.answer.text ?? new Uint8Array())
    edited[edited.length - 1] = (edited.at(-1) ?? 0) ^ 1
    await inner.resealTurn(one, { ...one, answer: { ...one.answer, text: edited } })
    await inner.resealTurn(two, { ...two, content: one.content })
    return opened
  }

  it('fail closed, are counted, and keep their session’s keys; everything else is sealed anew', async () => {
    const { inner, another, rotate, pass, unopenable } = await damaged()
    const named: string[] = []
    const before = { one: await inner.turn(sid, 1), two: await inner.turn(sid, 3) }
    const run = () => rotate({ values, onUnopenable: (id) => named.push(id) })
    expect(await run()).toMatchObject({ rewrapped: 2, resealed: 2 * VALUES_EACH - 2, unopenable: 1, left: 2 })
    pass(2 * KEY_TTL_MS)
    expect(await run()).toEqual({ rewrapped: 0, resealed: 0, finished: 1, unopenable: 1, left: 1 })
    expect(named).toEqual([sid, sid])

    const held = await sealedBy(inner, sid, both)
    expect(held.keys).toEqual(['d2 k2', 'd1 k1'])
    expect(held.values).toEqual(['d1', 'd1', ...times(VALUES_EACH - 2, 'd2')])
    expect((await inner.turn(sid, 1))?.answer?.text).toEqual(before.one?.answer?.text)
    expect((await inner.turn(sid, 3))?.content).toEqual(before.two?.content)
    const reader = another({ keyring: ring('k2') })
    await expect(reader.turn(sid, 1)).rejects.toBeInstanceOf(Unopenable)
    await expect(reader.turn(sid, 3)).rejects.toBeInstanceOf(Unopenable)
    expect(unopenable).toEqual(['text', 'content'])
    expect((await reader.turn(other, 1))?.content).toEqual(turn(1, { sid: other }).content)
  })

  it('may be no sealed values at all', async () => {
    const { inner, rotate } = await withTurns()
    const one = await inner.turn(sid, 1)
    if (!one) throw new Error('the turn is not there')
    await inner.resealTurn(one, { ...one, content: new Uint8Array([9, 9, 9]) })
    expect(await rotate({ values })).toMatchObject({ unopenable: 1, left: 2 })
  })

  it('are not looked for where they carry the newest key', async () => {
    const { inner, rotate } = await withTurns()
    await rotate({ values })
    const row = await inner.session(sid)
    if (!row) throw new Error('there is no such session')
    const keys = createWrapping(both).unwrap(row)
    expect(await resealSession(inner, sid, keys)).toEqual({ values: 0, whole: true })
  })
})
