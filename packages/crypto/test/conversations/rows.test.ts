import { type Content, type SealedConversations, Unopenable } from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openConversations } from './open-conversations.ts'
import { anna, end, other, PARTITION, pendingAnswer, session, sid, turn } from './samples.ts'

type Opened = Awaited<ReturnType<typeof openConversations>>

async function withTurns() {
  const opened = await openConversations()
  for (const id of [sid, other]) {
    await opened.sealed.createSession(session(id))
    for (const seq of [1, 3]) await opened.sealed.insertTurn(turn(seq, { sid: id }))
  }
  return opened
}

/** A database that gives back what `change` makes of a row. */
const tampering = ({ inner, another }: Opened, between: (inner: SealedConversations) => Partial<SealedConversations>) =>
  another({ between: between(inner) })

const required = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('it is not there')
  return value
}

describe('what was kept', () => {
  it('comes back as it was written, to this process and to another', async () => {
    const { sealed, another } = await withTurns()
    const answered = required(turn(1).answer).answerId
    await sealed.changeSession(sid, 0, { nm: 'a new name', assistingAdminName: 'Berta', adminAssisted: true })
    await sealed.beginAttempt(sid, answered, 0, 'fresh')
    await sealed.endAnswer(sid, answered, end('the text'))
    await sealed.supersede(sid, 1, answered, pendingAnswer('next'))

    for (const reader of [sealed, another()]) {
      expect(await reader.session(sid)).toEqual({
        ...session(),
        nm: 'a new name',
        assistingAdminName: 'Berta',
        adminAssisted: true,
        rev: 1,
      })
      expect((await reader.listSessions(anna, { limit: 10 })).map(({ sid: id, nm }) => [id, nm])).toEqual([
        [other, session().nm],
        [sid, 'a new name'],
      ])
      expect(await reader.turn(sid, 3)).toEqual(turn(3))
      const first = required(await reader.turn(sid, 1))
      expect(first.content).toEqual(turn(1).content)
      expect(first.superseded.map(({ text }) => text)).toEqual(['the text'])
      expect(await reader.turnByAnswerId(sid, answered)).toEqual(first)
      expect(await reader.turnByClientMessageId(anna, required(turn(1).cmid))).toEqual(first)
      expect(await reader.turns(sid, { limit: 10 })).toEqual([turn(3), first])
      expect(await reader.unsettledOf(PARTITION, 10)).toHaveLength(4)
    }
    const begun = required(await another().beginAttempt(sid, required(turn(3).answer).answerId, 0, 'fresh'))
    expect(begun.session.nm).toBe('a new name')
    expect(begun.turn.content).toEqual(turn(3).content)
  })

  it('has previews and comments among what is sealed, and lets go of what is taken away', async () => {
    const { sealed, another } = await withTurns()
    const answered = required(turn(1).answer).answerId
    const share = { hash: 'a hash', until: 5 }
    const feedback = { rating: 'down', comment: 'not what I asked for', ts: 3 } as const
    await sealed.changeSession(sid, 0, { preview: 'what was said', assistingAdminName: 'Berta', share })
    await sealed.endAnswer(sid, answered, end())
    expect(await sealed.rateAnswer(sid, answered, feedback)).toBe(true)
    for (const reader of [sealed, another()]) {
      expect(await reader.session(sid)).toMatchObject({ preview: 'what was said', assistingAdminName: 'Berta' })
      expect(await reader.sessionByShare('a hash')).toEqual(await reader.session(sid))
      expect((await reader.turn(sid, 1))?.answer?.feedback).toEqual(feedback)
    }
    await sealed.rateAnswer(sid, answered, { rating: 'up', ts: 4 })
    expect((await sealed.turn(sid, 1))?.answer?.feedback).toEqual({ rating: 'up', ts: 4 })
    await sealed.rateAnswer(sid, answered, undefined)
    expect((await sealed.turn(sid, 1))?.answer).not.toHaveProperty('feedback')
    await sealed.changeSession(sid, 1, { nm: null, preview: null, assistingAdminName: null, share: null })
    const { nm: _, ...rest } = session()
    expect(await another().session(sid)).toEqual({ ...rest, rev: 2 })
    expect(await sealed.sessionByShare('a hash')).toBeUndefined()
  })

  it('may be any text', async () => {
    const { sealed } = await openConversations()
    await sealed.createSession(session())
    let seq = 1
    const unit = fc.constantFrom('a', ' ', '"', '\\', '\n', '\u0000', 'é', '漢', '😀', '\u200d', '\u{10ffff}')
    const text = fc.string({ unit })
    const content: fc.Arbitrary<Content> = fc.record({ text: text, name: text }, { requiredKeys: ['text'] })
    await fc.assert(
      fc.asyncProperty(content, text, async (said, answered) => {
        const given = turn(seq, {
          content: said,
          answer: { ...pendingAnswer(`a-${seq}`), status: 'done', text: answered },
        })
        seq += 2
        await sealed.insertTurn(given)
        expect(await sealed.turn(sid, given.seq)).toEqual(given)
      }),
      { numRuns: 25 },
    )
  })

  it('is sealed with a key of the session’s own, read once for a page and for what comes after', async () => {
    const opened = await withTurns()
    const asked: string[] = []
    const reader = tampering(opened, (inner) => ({
      session: async (id) => {
        asked.push(id)
        return inner.session(id)
      },
    }))
    await reader.turns(sid, { limit: 10 })
    await reader.turn(sid, 1)
    await reader.unsettledOf(PARTITION, 10)
    expect(asked).toEqual([sid, other])
    expect((await opened.inner.session(sid))?.key).not.toEqual((await opened.inner.session(other))?.key)

    await reader.listSessions(anna, { limit: 10 })
    reader.forget(sid)
    await reader.turn(sid, 1)
    expect(asked).toEqual([sid, other, sid])
  })

  it('keeps no more keys at hand than it was told', async () => {
    const opened = await withTurns()
    let asked = 0
    const reader = opened.another({
      maxKeys: 1,
      between: {
        session: async (id) => {
          asked += 1
          return opened.inner.session(id)
        },
      },
    })
    expect(reader.keysAtHand).toBe(0)
    for (const id of [sid, other, other, sid]) await reader.turn(id, 1)
    expect(asked).toBe(3)
    expect(reader.keysAtHand).toBe(1)
    reader.forget(sid)
    expect(reader.keysAtHand).toBe(0)
  })

  it('keeps no key for longer than it was told', async () => {
    const opened = await withTurns()
    let asked = 0
    const reader = opened.another({
      keyTtlMs: 1,
      between: {
        session: async (id) => {
          asked += 1
          return opened.inner.session(id)
        },
      },
    })
    await reader.turn(sid, 1)
    const since = performance.now()
    while (performance.now() - since < 5) await new Promise(setImmediate)
    await reader.turn(sid, 1)
    expect(asked).toBe(2)
  })
})

describe('a value in another place', () => {
  it.each([
    ['the content of another turn', 3, sid],
    ['the content of another session', 1, other],
  ])('does not open: %s', async (_what, seq, from) => {
    const opened = await withTurns()
    const foreign = required(await opened.inner.turn(from, seq)).content
    const swap = <T extends { sid: string; seq: number }>(row: T | undefined) =>
      row && row.sid === sid && row.seq === 1 ? { ...row, content: foreign } : row
    const reader = tampering(opened, (inner) => ({
      turn: async (...given) => swap(await inner.turn(...given)),
      turns: async (...given) => (await inner.turns(...given)).map((row) => swap(row) ?? row),
      beginAttempt: async (...given) => {
        const begun = await inner.beginAttempt(...given)
        return begun && { ...begun, turn: swap(begun.turn) ?? begun.turn }
      },
      unsettledOf: async (...given) => (await inner.unsettledOf(...given)).map((row) => swap(row) ?? row),
    }))
    await expect(reader.turn(sid, 1)).rejects.toBeInstanceOf(Unopenable)
    await expect(reader.turns(sid, { limit: 10 })).rejects.toBeInstanceOf(Unopenable)
    expect(await reader.turn(sid, 3)).toEqual(turn(3))

    const pending = await reader.unsettledOf(PARTITION, 10)
    expect(pending.map((row) => [row.sid, row.seq, row.content.text === ''])).toEqual([
      [sid, 1, true],
      [sid, 3, false],
      [other, 1, false],
      [other, 3, false],
    ])
    await expect(reader.beginAttempt(sid, required(turn(1).answer).answerId, 0, 'fresh')).rejects.toBeInstanceOf(
      Unopenable,
    )
    expect(opened.unopenable).toEqual(['content', 'content', 'content', 'content'])
  })

  it.each(['text', 'thread'] as const)('does not open: the %s of another answer', async (field) => {
    const opened = await withTurns()
    for (const seq of [1, 3])
      await opened.sealed.endAnswer(sid, required(turn(seq).answer).answerId, end(`text ${seq}`))
    const foreign = required(required(await opened.inner.turn(sid, 3)).answer)[field]
    const reader = tampering(opened, (inner) => ({
      turn: async (...given) => {
        const row = required(await inner.turn(...given))
        return row.answer && foreign ? { ...row, answer: { ...row.answer, [field]: foreign } } : row
      },
    }))
    await expect(reader.turn(sid, 1)).rejects.toBeInstanceOf(Unopenable)
    expect((await reader.turn(sid, 3))?.answer?.text).toBe('text 3')
    expect(opened.unopenable).toEqual([field])
  })

  it('does not open: the comment on another answer', async () => {
    const opened = await withTurns()
    const answers = [1, 3].map((seq) => required(turn(seq).answer).answerId)
    for (const id of answers) {
      await opened.sealed.endAnswer(sid, id, end())
      await opened.sealed.rateAnswer(sid, id, { rating: 'up', comment: `on ${id}`, ts: 1 })
    }
    const foreign = required(required(await opened.inner.turn(sid, 3)).answer).feedback
    const reader = tampering(opened, (inner) => ({
      turn: async (...given) => {
        const row = required(await inner.turn(...given))
        return row.answer && foreign ? { ...row, answer: { ...row.answer, feedback: foreign } } : row
      },
    }))
    await expect(reader.turn(sid, 1)).rejects.toBeInstanceOf(Unopenable)
    expect((await reader.turn(sid, 3))?.answer?.feedback?.comment).toBe(`on ${answers[1]}`)
    expect(opened.unopenable).toEqual(['comment'])
  })

  it('leaves a name out, so that the session can still be found, ended and erased', async () => {
    const opened = await withTurns()
    await opened.sealed.changeSession(sid, 0, { assistingAdminName: 'Berta', preview: 'what was said' })
    const reader = tampering(opened, (inner) => ({
      session: async (id) => {
        const row = required(await inner.session(id))
        return row.nm && row.assistingAdminName && row.preview
          ? { ...row, nm: row.preview, preview: row.assistingAdminName, assistingAdminName: row.nm }
          : row
      },
    }))
    const { nm: _, ...rest } = session()
    expect(await reader.session(sid)).toEqual({ ...rest, rev: 1 })
    expect(opened.unopenable).toEqual(['name', 'preview', 'name'])
  })

  it('is a key in the row of another session: nothing of that session opens', async () => {
    const opened = await withTurns()
    const foreign = required(await opened.inner.session(other)).key
    const reader = tampering(opened, (inner) => ({
      session: async (id) => ({ ...required(await inner.session(id)), key: foreign }),
    }))
    await expect(reader.turn(sid, 1)).rejects.toBeInstanceOf(Unopenable)
    await expect(reader.insertTurn(turn(5))).rejects.toBeInstanceOf(Unopenable)
    await expect(reader.changeSession(sid, 0, { nm: 'name' })).rejects.toBeInstanceOf(Unopenable)
    expect(await reader.changeSession(sid, 0, { readSeq: 1 })).toBe(true)
    expect((await reader.session(sid))?.nm).toBeUndefined()
    expect(new Set(opened.unopenable)).toEqual(new Set(['data-key']))
  })
})
