import { type SealedConversations, Unopenable } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { boxOf, createWrapping, nextKey } from '../../src/conversations/key-set.ts'
import { sealTurn } from '../../src/conversations/seal-rows.ts'
import { ring } from '../rings.ts'
import { KEY_TTL_MS, sealedBy, times, VALUES_EACH, withTurns } from '../rotation/opened.ts'
import { anna, PARTITION, session, sid, turn } from './samples.ts'

const values = true
const both = ring('k2', 'k1')

/** A process that has the keys of before at hand, and all values sealed anew since. */
async function rotated() {
  const opened = await withTurns()
  const asked: string[] = []
  const stale = opened.another({
    keyring: both,
    between: {
      session: async (id) => {
        asked.push(id)
        return opened.inner.session(id)
      },
    },
  })
  await stale.turn(sid, 1)
  await opened.rotate({ values })
  asked.length = 0
  return { ...opened, stale, asked }
}

/** In the order in which they were called. */
function calls(inner: SealedConversations) {
  const called: string[] = []
  const noting = (name: 'turns' | 'resealTurn' | 'changeKey') => {
    const method = inner[name] as (...given: unknown[]) => Promise<never>
    return async (...given: unknown[]) => {
      called.push(name)
      return method(...given)
    }
  }
  const conversations: SealedConversations = {
    ...inner,
    turns: noting('turns'),
    resealTurn: noting('resealTurn'),
    changeKey: noting('changeKey'),
  }
  return { conversations, called }
}

describe('a process that has the keys from before a rotation', () => {
  it('reads the session’s row again for a value under a key that it does not know, once', async () => {
    const { stale, asked, unopenable } = await rotated()
    const answered = turn(1).answer
    expect((await stale.turn(sid, 1))?.content).toEqual(turn(1).content)
    expect((await stale.turns(sid, { limit: 9 })).map(({ seq }) => seq)).toEqual([3, 1])
    expect((await stale.turnByAnswerId(sid, answered?.answerId ?? ('' as never)))?.seq).toBe(1)
    expect(await stale.unsettledOf(PARTITION, 9)).toHaveLength(4)
    expect(asked.filter((id) => id === sid)).toEqual([sid])
    expect(unopenable).toEqual([])
  })

  it.each(['session', 'listSessions', 'sessionByShare', 'beginAttempt', 'unsettledOf'] as const)(
    'opens all that %s gives',
    async (method) => {
      const { stale, sealed, unopenable } = await rotated()
      await sealed.changeSession(sid, 0, { share: { hash: 'hash', until: 1 } })
      const third = turn(3).answer?.answerId ?? ('' as never)
      const given = await {
        session: () => stale.session(sid),
        listSessions: () => stale.listSessions(anna, { limit: 9 }).then((list) => list.find((one) => one.sid === sid)),
        sessionByShare: () => stale.sessionByShare('hash'),
        beginAttempt: () => stale.beginAttempt(sid, third, 0, 'fresh').then((begun) => begun?.session),
        unsettledOf: () => stale.unsettledOf(PARTITION, 9).then(([one]) => ({ nm: `${one?.content.text}, as a name` })),
      }[method]()
      expect(given?.nm?.replace(' at 1', '')).toBe(session().nm)
      expect(unopenable).toEqual([])
    },
  )

  it('still writes under the old key, which others read, and which stays until that is sealed anew', async () => {
    const { stale, inner, another, rotate, pass, unopenable } = await rotated()
    await stale.insertTurn(turn(5))
    await stale.changeSession(sid, 0, { nm: 'a late name' })
    expect((await sealedBy(inner, sid, both)).values).toEqual(['d1', 'd1', ...times(VALUES_EACH - 1, 'd2')])
    for (const reader of [another({ keyring: both }), another({ keyring: ring('k2') }), stale]) {
      expect((await reader.turn(sid, 5))?.content).toEqual(turn(5).content)
      expect((await reader.session(sid))?.nm).toBe('a late name')
    }
    pass(2 * KEY_TTL_MS)
    const { conversations, called } = calls(inner)
    const report = await rotate({ values, conversations, atOnce: 1 })
    // Nobody who has just read a value loses its key: all is looked at once more between the last change and the drop.
    const [last, drop] = [called.lastIndexOf('resealTurn'), called.indexOf('changeKey', called.indexOf('resealTurn'))]
    expect(called.slice(last + 1, drop)).toContain('turns')
    expect(report).toEqual({ rewrapped: 0, resealed: 2, finished: 2, unopenable: 0, left: 0 })
    expect(await sealedBy(inner, sid, ring('k2'))).toMatchObject({
      keys: ['d2 k2'],
      values: times(VALUES_EACH + 1, 'd2'),
    })
    const reader = another({ keyring: ring('k2') })
    expect((await reader.turn(sid, 5))?.content).toEqual(turn(5).content)
    expect((await reader.session(sid))?.nm).toBe('a late name')
    expect(unopenable).toEqual([])
  })

  it('writes under the new key when it has met it, and when its keys are too old', async () => {
    const { stale, inner, another } = await rotated()
    await stale.turn(sid, 1)
    await stale.insertTurn(turn(5))
    const impatient = another({ keyring: both, keyTtlMs: 1 })
    await impatient.session(sid)
    const since = performance.now()
    while (performance.now() - since < 5) await new Promise(setImmediate)
    await impatient.insertTurn(turn(7))
    expect((await sealedBy(inner, sid, both)).values).toEqual(times(VALUES_EACH + 2, 'd2'))
  })

  it('keeps a key no longer for having got it late', async () => {
    const { inner, another, rotate } = await withTurns()
    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let slow = true
    const late = another({
      keyring: both,
      keyTtlMs: 20,
      between: {
        async session(id) {
          const row = await inner.session(id)
          if (slow) await held
          slow = false
          return row
        },
      },
    })
    const reading = late.session(sid)
    const since = performance.now()
    await rotate({ values })
    while (performance.now() - since < 25) await new Promise(setImmediate)
    release?.()
    await reading
    await late.insertTurn(turn(5))
    expect((await sealedBy(inner, sid, both)).values).not.toContain('d1')
  })

  it('reads rows again that were sealed anew, and lost the key of before, since it had read them', async () => {
    const { inner, another, rotate, pass, unopenable } = await withTurns()
    const one = [await inner.turn(sid, 1)]
    const page = [await inner.turns(sid, { limit: 1 })]
    await rotate({ values })
    pass(2 * KEY_TTL_MS)
    await rotate({ values })
    const reader = another({
      keyring: ring('k2'),
      between: {
        turn: async (id, seq) => one.shift() ?? inner.turn(id, seq),
        turns: async (id, query) => page.shift() ?? inner.turns(id, query),
      },
    })
    expect((await reader.turn(sid, 1))?.content).toEqual(turn(1).content)
    expect((await reader.turns(sid, { limit: 1 })).map(({ content }) => content)).toEqual([turn(3).content])
    expect([one, page]).toEqual([[], []])
    expect(unopenable).toEqual([])
  })

  it('gives up a value whose key is in no row, and counts it', async () => {
    const { inner, another, stale, asked, unopenable } = await rotated()
    const row = await inner.turn(sid, 3)
    const keys = await inner.session(sid)
    if (!row || !keys) throw new Error('they are not there')
    const never = boxOf([nextKey('k2', createWrapping(both).unwrap(keys))])
    await inner.resealTurn(row, { ...row, content: sealTurn(never, turn(3)).content })
    for (const reader of [stale, another({ keyring: both })]) {
      await expect(reader.turn(sid, 3)).rejects.toBeInstanceOf(Unopenable)
      expect((await reader.turn(sid, 1))?.content).toEqual(turn(1).content)
    }
    expect(unopenable).toEqual(['content', 'content'])
    expect(asked.length).toBeLessThanOrEqual(3)
  })
})
