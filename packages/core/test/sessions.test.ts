import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  changed,
  clientMessageId,
  nameAfter,
  newSession,
  newSessionId,
  partitionOf,
  projection,
  RESPONSE_TIMES,
  sessionId,
  sessionViewOf,
  statusOf,
  userId,
  withResponseTime,
} from '../src/index.ts'

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
  const session = newSession(sessionId('s'), userId('u'), 0, 'demo', 1_000)

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

  it('is projected the same however often (R3)', () => {
    const totals = { lastSeq: 3, nextSeq: 5, totalTokens: 9, pending: [] }
    const once = changed(session, projection(session, totals, {}))
    expect(projection(once, totals, {})).toEqual(projection(session, totals, {}))
    expect(once).toMatchObject({ msgCount: 4, totalTokens: 9, lastActivity: 1_000 })
  })

  it('is shown without anything that is not for its user', () => {
    expect(Object.keys(sessionViewOf({ ...session, partition: 9, ownerEpoch: 4 })).sort()).toEqual([
      'helpRequested',
      'id',
      'lastActivity',
      'messageCount',
      'modelId',
      'readSeq',
      'rev',
      'startedAt',
      'totalTokens',
      'unreadCount',
    ])
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
