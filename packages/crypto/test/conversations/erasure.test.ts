import { Refusal, type SealedSession, sessionId } from '@chatbox/core'
import { describe, expect, it, vi } from 'vitest'
import { openConversations } from './open-conversations.ts'
import { end, pendingAnswer, session, sid, stub, turn } from './samples.ts'

async function withTurn() {
  const opened = await openConversations()
  await opened.sealed.createSession(session())
  await opened.sealed.insertTurn(turn(1))
  return opened
}
const asked = pendingAnswer(`answer-${sid}-1`).answerId

describe('an erased session', () => {
  it('loses its key before its rows, so that half an erasure leaves nothing readable (R22)', async () => {
    const { inner, another, unopenable } = await withTurn()
    const half = another({
      between: {
        eraseTurns: async () => {
          throw new Error('killed')
        },
      },
    })
    expect((await half.turn(sid, 1))?.content.text).toContain('canary')
    await expect(half.eraseTurns(sid, stub(3))).rejects.toThrow('killed')
    expect((await inner.session(sid))?.key.length).toBe(0)
    expect((await inner.turn(sid, 1))?.content.length).toBeGreaterThan(0)

    for (const reader of [half, another()]) {
      expect((await reader.turn(sid, 1))?.content).toEqual({ text: '' })
      expect((await reader.session(sid))?.nm).toBeUndefined()
    }
    expect(unopenable).toEqual([])
  })

  it('reads as rows without content in this process and, once its rows are gone, in one that has its key in memory', async () => {
    const { sealed, another, unopenable } = await withTurn()
    const reader = another()
    await reader.turn(sid, 1)
    await sealed.endAnswer(sid, asked, end())
    await sealed.eraseTurns(sid, stub(3))
    for (const conversations of [sealed, reader]) {
      const rows = await conversations.turns(sid, { limit: 10 })
      expect(rows.map(({ seq, content, event }) => [seq, content, event])).toEqual([
        [3, { text: '' }, 'erased'],
        [1, { text: '' }, undefined],
      ])
      expect(rows[1]?.answer?.text).toBeUndefined()
      expect(await conversations.turn(sid, 1)).toEqual(rows[1])
    }
    expect(unopenable).toEqual([])
  })

  it('takes nothing more: no turn, no text, no name', async () => {
    const { sealed, inner, another } = await withTurn()
    await sealed.eraseTurns(sid, stub(3))
    const rev = (await inner.session(sid))?.rev ?? 0
    for (const conversations of [sealed, another()]) {
      await expect(conversations.insertTurn(turn(5))).rejects.toEqual(new Refusal('not_found'))
      expect(await conversations.endAnswer(sid, asked, end())).toBe(false)
      expect(await conversations.supersede(sid, 1, asked, pendingAnswer('next'))).toBe(false)
    }
    expect(await sealed.changeSession(sid, rev, { nm: 'a name', erased: true })).toBe(true)
    expect(await inner.session(sid)).toMatchObject({ erased: true, rev: rev + 1 })
    expect((await inner.session(sid))?.nm).toBeUndefined()
  })

  it('does not get its key back into memory by a read that was under way', async () => {
    const { inner, another } = await withTurn()
    const held: ((session: SealedSession | undefined) => void)[] = []
    const session_ = vi.fn(inner.session)
    session_.mockImplementationOnce(() => new Promise((resolve) => held.push(resolve)))
    const conversations = another({ between: { session: session_ } })

    const before = await inner.session(sid)
    const reading = conversations.turn(sid, 1)
    await vi.waitFor(() => expect(held).toHaveLength(1))
    await conversations.eraseTurns(sid, stub(3))
    held[0]?.(before)
    await reading

    await expect(conversations.insertTurn(turn(5))).rejects.toEqual(new Refusal('not_found'))
  })

  it('is not confused with one that never was', async () => {
    const { sealed } = await withTurn()
    const never = sessionId('never')
    expect(await sealed.session(never)).toBeUndefined()
    expect(await sealed.turn(never, 1)).toBeUndefined()
    expect(await sealed.turns(never, { limit: 10 })).toEqual([])
    expect(await sealed.endAnswer(never, asked, end())).toBe(false)
    expect(await sealed.changeSession(never, 0, { nm: 'a name' })).toBe(false)
    await expect(sealed.insertTurn(turn(1, { sid: never }))).rejects.toEqual(new Refusal('not_found'))
  })
})

describe('a session that is made twice', () => {
  it('keeps the key of the first, whoever lost', async () => {
    const { inner, another } = await openConversations()
    const [one, two] = [another(), another()]
    const made = await Promise.all([one.createSession(session()), two.createSession(session())])
    expect(made.toSorted()).toEqual(['created', 'exists'])
    await one.insertTurn(turn(1))
    await two.insertTurn(turn(3))
    for (const reader of [one, two, another()]) {
      expect((await reader.turns(sid, { limit: 10 })).map(({ seq }) => seq)).toEqual([3, 1])
    }
    expect((await inner.session(sid))?.key.length).toBeGreaterThan(0)
  })

  it('whose making was never heard of uses the key that is in the row', async () => {
    const { inner, another } = await openConversations()
    await another().createSession(session())
    const unheard = another({
      between: {
        createSession: async (given) => {
          await inner.createSession(given)
          throw new Error('no answer')
        },
      },
    })
    await expect(unheard.createSession(session())).rejects.toThrow('no answer')
    await unheard.insertTurn(turn(1))
    expect((await another().turn(sid, 1))?.content).toEqual(turn(1).content)
  })
})
