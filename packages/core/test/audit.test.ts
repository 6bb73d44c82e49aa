import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Audit,
  type AuditEntry,
  type AuditRecord,
  brokenAt,
  chained,
  recordIn,
  requestId,
  sessionId,
  userId,
} from '../src/index.ts'

const record = (i: number, of: Partial<AuditRecord> = {}): AuditRecord => ({
  requestId: requestId(`request-${i}`),
  ts: i,
  actor: 'ada',
  action: 'session.erase',
  uid: userId('bob'),
  sid: sessionId('s'),
  detail: { sessions: i, by: 'user' },
  ...of,
})

function chainOf(length: number): AuditEntry[] {
  const entries: AuditEntry[] = []
  for (let i = 1; i <= length; i++) entries.push(chained(7, entries.at(-1), record(i)))
  return entries
}

describe('a chain of audit entries', () => {
  it('is numbered from 1, and each entry holds the hash of the one before', () => {
    const entries = chainOf(3)
    expect(entries.map(({ n }) => n)).toEqual([1, 2, 3])
    expect(entries.map(({ prev }) => prev)).toEqual(['', entries[0]?.hash, entries[1]?.hash])
    expect(new Set(entries.map(({ hash }) => hash)).size).toBe(3)
  })

  it('is whole as it was made, in one piece or read on from any place', () => {
    const entries = chainOf(5)
    expect(brokenAt([])).toBeUndefined()
    expect(brokenAt(entries)).toBeUndefined()
    for (let i = 1; i < 5; i++) expect(brokenAt(entries.slice(i), entries[i - 1])).toBeUndefined()
  })

  it('is whole whatever order a database gives properties back in', () => {
    const entries = chainOf(3).map(
      (entry): AuditEntry => ({
        ...(Object.fromEntries(Object.entries(entry).toReversed()) as unknown as AuditEntry),
        detail: Object.fromEntries(Object.entries(entry.detail ?? {}).toReversed()),
      }),
    )
    expect(brokenAt(entries)).toBeUndefined()
  })

  it('is broken where any field of an entry was edited', () => {
    const edits: readonly Partial<AuditEntry>[] = [
      { requestId: requestId('another') },
      { ts: 99 },
      { actor: 'eve' },
      { action: 'session.read' },
      { uid: userId('eve') },
      { sid: sessionId('another') },
      { detail: { sessions: 3, by: 'retention' } },
      { detail: { sessions: 4, by: 'user' } },
      { detail: { sessions: '3', by: 'user' } },
      { detail: { sessions: 3 } },
      { partition: 8 },
      { n: 2 },
      { n: 4 },
      { prev: '' },
      { hash: 'x' },
    ]
    for (const edit of edits) {
      const entries = chainOf(5).map((entry, i) => (i === 2 ? { ...entry, ...edit } : entry))
      expect([edit, brokenAt(entries)]).toEqual([edit, edit.n ?? 3])
    }
    const { uid: _, ...nameless } = chained(7, undefined, record(1))
    expect(brokenAt([nameless])).toBe(1)
  })

  it('is broken behind an edit that has a hash made for it', () => {
    const [first, second, third] = chainOf(3)
    if (!first || !second || !third) throw new Error('three were made')
    const forged = chained(7, first, { ...record(2), actor: 'eve' })
    expect(brokenAt([first, forged])).toBeUndefined()
    expect(brokenAt([first, forged, third])).toBe(3)
  })

  it('is broken where an entry is missing, wherever it stood, but for the last', () => {
    for (const lost of [0, 1, 2, 3]) {
      const entries = chainOf(5).filter((_, i) => i !== lost)
      expect(brokenAt(entries)).toBe(lost + 2)
    }
    // A chain of another length is as good a chain: its length has to be known from elsewhere.
    expect(brokenAt(chainOf(5).slice(0, 4))).toBeUndefined()
    // Read on behind an entry that is not the one before.
    const entries = chainOf(5)
    expect(brokenAt(entries.slice(3), entries[1])).toBe(4)
    expect(brokenAt(entries.slice(3))).toBe(4)
  })

  it('is broken where two entries were exchanged, or one stands twice', () => {
    const [a, b, c, d] = chainOf(4)
    if (!a || !b || !c || !d) throw new Error('four were made')
    expect(brokenAt([a, c, b, d])).toBe(3)
    expect(brokenAt([b, a, c, d])).toBe(2)
    expect(brokenAt([a, b, b, c, d])).toBe(2)
    const renumbered = [a, { ...c, n: 2 }, { ...b, n: 3 }, d]
    expect(brokenAt(renumbered)).toBe(2)
  })

  it('keeps parts of an entry apart that could be moved against each other', () => {
    const hash = (of: Partial<AuditRecord>) => chained(7, undefined, record(1, of)).hash
    expect(hash({ actor: 'ab', action: 'c' })).not.toBe(hash({ actor: 'a', action: 'bc' }))
    expect(hash({ detail: { a: 'b,c' } })).not.toBe(hash({ detail: { a: 'b', c: '' } }))
    expect(hash({ detail: { a: true } })).not.toBe(hash({ detail: { a: 'true' } }))
  })

  it('shows any single edit of any of its details', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean())
    const detail = fc.dictionary(fc.string(), value, { maxKeys: 4 })
    fc.assert(
      fc.property(detail, detail, (one, other) => {
        const entry = chained(7, undefined, record(1, { detail: one }))
        const key = (of: object) => JSON.stringify(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)))
        expect(brokenAt([{ ...entry, detail: other }])).toBe(key(one) === key(other) ? undefined : 1)
      }),
    )
  })
})

describe('recording a request', () => {
  /** The simplest one there is; `before` runs ahead of each append. */
  function auditOf(entries: AuditEntry[], before: () => void = () => undefined): Audit {
    return {
      last: async () => entries.at(-1),
      async append(entry) {
        before()
        if (entries.some((other) => other.requestId === entry.requestId)) return 'recorded-before'
        if (entries.some(({ n }) => n === entry.n)) return 'taken'
        entries.push(entry)
        return 'appended'
      },
      read: async (_partition, after, limit) => entries.slice(after, after + limit),
    }
  }

  it('adds to the end of the chain, once however often', async () => {
    const entries = chainOf(2)
    for (let time = 0; time < 3; time++) await recordIn(auditOf(entries), 7, record(9))
    expect(entries.map((entry) => entry.requestId)).toEqual(['request-1', 'request-2', 'request-9'])
    expect(brokenAt(entries)).toBeUndefined()
  })

  it('tries behind the others when they were faster', async () => {
    const entries = chainOf(1)
    let others = 2
    const audit = auditOf(entries, () => {
      if (others-- > 0) entries.push(chained(7, entries.at(-1), record(50 + others)))
    })
    await recordIn(audit, 7, record(9))
    expect(entries.at(-1)).toMatchObject({ requestId: 'request-9', n: 4 })
    expect(brokenAt(entries)).toBeUndefined()
  })
})
