import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  answerId,
  changed,
  clientMessageId,
  nameAfter,
  newAnswer,
  newSession,
  newSessionId,
  partitionOf,
  previewOf,
  projection,
  RESPONSE_TIMES,
  type Session,
  sessionId,
  sessionViewOf,
  statusOf,
  type Turn,
  userId,
  withResponseTime,
} from '../src/index.ts'

const session = newSession(sessionId('s'), userId('u'), 0, 'demo', 1_000)

describe('the name of a session', () => {
  it('is the first line of its first message, cut at a word', () => {
    expect(nameAfter('How do I\nstart?')).toBe('How do I')
    expect(nameAfter('  much   space ')).toBe('much space')
    expect(nameAfter('')).toBeUndefined()
    const long = 'word '.repeat(40)
    expect(nameAfter(long)).toMatch(/^(word )+word…$/)
    expect(nameAfter('x'.repeat(100))).toBe(`${'x'.repeat(60)}…`)
  })

  it('never splits a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (text) => {
        const name = nameAfter(text)
        if (name !== undefined) expect(name.isWellFormed()).toBe(true)
      }),
    )
  })
})

describe('a new session', () => {
  it('has the same id each time its first message is sent, another for another user, and none that can be guessed (R10)', () => {
    const id = (secret: string, user: string, message: string) =>
      newSessionId(secret, userId(user), clientMessageId(message))
    expect(id('k', 'u', 'm')).toBe(id('k', 'u', 'm'))
    expect(new Set([id('k', 'u', 'm'), id('k', 'u2', 'm'), id('k', 'u', 'm2'), id('k2', 'u', 'm')]).size).toBe(4)
    // The parts can't be moved against each other.
    expect(id('k', 'ab', 'c')).not.toBe(id('k', 'a', 'bc'))
  })
})

describe('a session', () => {
  it('becomes inactive without activity, and ended is ended', () => {
    expect(statusOf(session, 2_000, 5_000)).toBe('active')
    expect(statusOf(session, 7_000, 5_000)).toBe('inactive')
    expect(statusOf({ ...session, endTs: 1 }, 1_500, 5_000)).toBe('ended')
  })

  it('keeps the latest response times and no more (S6)', () => {
    let rts: readonly number[] = []
    for (let i = 0; i < 250; i++) rts = withResponseTime(rts, i)
    expect([rts.length, rts[0], rts.at(-1)]).toEqual([RESPONSE_TIMES, 150, 249])
  })

  it('is shown without anything that is not for its user', () => {
    const share = { hash: 'opens nothing', until: 5 }
    const view = sessionViewOf({ ...session, partition: 9, ownerEpoch: 4, share, preview: 'said last', msgCount: 5 })
    expect(view).toEqual({
      ...{
        id: 's',
        modelId: 'demo',
        startedAt: 1_000,
        lastActivity: 1_000,
        messageCount: 5,
        totalTokens: 0,
        totalCost: 0,
      },
      ...{ readSeq: 0, unreadCount: 5, preview: 'said last', sharedUntil: 5, helpRequested: false, rev: 0 },
    })
  })

  it('has unread what is above the mark, and never less than nothing', () => {
    const unread = (msgCount: number, readSeq: number) => sessionViewOf({ ...session, msgCount, readSeq }).unreadCount
    expect([unread(5, 0), unread(5, 4), unread(5, 5), unread(5, 9)]).toEqual([5, 1, 0, 0])
  })
})

describe('a change of a session', () => {
  const full: Session = { ...session, nm: 'a name', preview: 'said last', endTs: 7, share: { hash: 'h', until: 9 } }

  it('puts in what it names and takes away what is null in it', () => {
    expect(changed(full, { nm: 'another', msgCount: 3 })).toEqual({ ...full, nm: 'another', msgCount: 3 })
    const { nm: _, share: __, ...left } = full
    const after = changed(full, { nm: null, share: null, readSeq: 1 })
    expect(after).toEqual({ ...left, readSeq: 1 })
    expect(Object.keys(after).sort()).toEqual(Object.keys(left).sort())
  })

  it('keeps what is false, zero or empty, and leaves the row before it as it was', () => {
    const before = structuredClone(full)
    expect(changed(full, { nm: '', readSeq: 0, erased: false, endTs: 0, rts: [] })).toEqual({
      ...full,
      nm: '',
      endTs: 0,
    })
    expect(changed(session, { nm: null, assistingAdminId: null })).toEqual(session)
    expect(full).toEqual(before)
  })
})

describe('the preview of what was said', () => {
  it('is its beginning in one line, and says when there is more', () => {
    expect(previewOf('  Hello,\n\n  is  there \t anybody? ')).toBe('Hello, is there anybody?')
    expect(previewOf('x'.repeat(120))).toBe('x'.repeat(120))
    expect(previewOf('x'.repeat(121))).toBe(`${'x'.repeat(119)}…`)
    expect(previewOf('x'.repeat(300_000))).toBe(`${'x'.repeat(119)}…`)
  })

  it('is none of nothing', () => {
    for (const text of ['', ' ', '\n\t\u00a0']) expect(previewOf(text)).toBeUndefined()
  })

  it('never splits a character, wherever it is cut', () => {
    const part = fc.constantFrom('a', ' ', '\n', '😀', '漢', '👩‍🚀')
    const text = fc.array(part, { minLength: 1, maxLength: 700, size: 'max' }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, (said) => {
        const preview = previewOf(said)
        if (preview === undefined) return
        expect(preview.isWellFormed()).toBe(true)
        expect(Array.from(preview).length).toBeLessThanOrEqual(120)
      }),
    )
    // In the midst of the last one, with little before it.
    expect(previewOf(`a${' '.repeat(478)}😀`)).toBe('a')
    expect(previewOf(`${' '.repeat(479)}😀`)).toBe('😀')
  })
})

describe('the projection of rows onto a session (R3)', () => {
  const totals = (nextSeq: number, lastSeq: number) => ({
    lastSeq,
    nextSeq,
    totalTokens: 9,
    totalCost: 30,
    pending: [],
  })
  const said = (seq: number, text: string, of: Partial<Turn> = {}): Turn => ({
    ...{ sid: session.sid, seq, width: 1, partition: 0, author: 'user', authorId: session.uid, kind: 'text' },
    ...{ content: { text }, ts: 2_000, unsettled: true, superseded: [] },
    ...of,
  })
  const answeredWith = (text: string): Partial<Turn> => ({
    width: 2,
    answer: { ...newAnswer(answerId('a'), 'other', 2_000, undefined), status: 'done', text, endedAt: 3_000 },
  })
  const project = (on: Session, sums: ReturnType<typeof totals>, turn?: Turn) =>
    changed(on, projection(on, sums, { ...(turn && { turn }) }))

  it('is the same however often', () => {
    const turn = said(3, 'How are you?', answeredWith('Well.'))
    const once = project(session, totals(5, 3), turn)
    expect(once).toMatchObject({
      msgCount: 4,
      totalTokens: 9,
      totalCost: 30,
      lastActivity: 3_000,
      nm: 'How are you?',
      readSeq: 3,
    })
    expect(project(once, totals(5, 3), turn)).toEqual(once)
    expect(project(session, totals(5, 3))).toMatchObject({ msgCount: 4, totalTokens: 9, lastActivity: 1_000 })
  })

  it('shows what was said last: the answer once there is a text, the question before', () => {
    const preview = (turn: Turn) => project({ ...session, preview: 'before' }, totals(5, 3), turn).preview
    expect(preview(said(3, 'How are you?'))).toBe('How are you?')
    expect(preview(said(3, 'How are you?', answeredWith('Well,\nthank you.')))).toBe('Well, thank you.')
    expect(preview(said(3, 'How are you?', answeredWith('')))).toBe('How are you?')
    const waiting = { width: 2 as const, answer: newAnswer(answerId('a'), 'other', 2_000, undefined) }
    expect(preview(said(3, 'How are you?', waiting))).toBe('How are you?')
    // Files alone say nothing that could be shown.
    expect(preview(said(3, ''))).toBe('before')
  })

  it('keeps the preview of the last row when an earlier one is worked on later', () => {
    const last = project(session, totals(6, 5), said(5, 'the last'))
    const late = project(last, totals(6, 5), said(1, 'the first', answeredWith('a late answer')))
    expect(late.preview).toBe('the last')
    expect(late.lastActivity).toBe(3_000)
  })

  it('takes what the user wrote for read up to there, and what others wrote for unread', () => {
    expect(project(session, totals(4, 3), said(3, 'mine')).readSeq).toBe(3)
    expect(project({ ...session, readSeq: 7 }, totals(4, 3), said(3, 'mine')).readSeq).toBe(7)
    expect(project({ ...session, readSeq: 2 }, totals(4, 3), said(3, 'theirs', { author: 'admin' })).readSeq).toBe(2)
    const answered = project(session, totals(5, 3), said(3, 'mine', answeredWith('Well.')))
    expect(sessionViewOf(answered).unreadCount).toBe(1)
  })
})

it('users are spread evenly over the partitions, and each always has the same one', () => {
  const counts = new Array<number>(64).fill(0)
  for (let i = 0; i < 64_000; i++) {
    const partition = partitionOf(userId(`user-${i}`), 64)
    counts[partition] = (counts[partition] ?? 0) + 1
  }
  expect(Math.min(...counts)).toBeGreaterThan(850)
  expect(Math.max(...counts)).toBeLessThan(1_150)
  // Stored data depends on it: another result would move every user.
  expect(partitionOf(userId('alice'), 64)).toBe(9)
})
