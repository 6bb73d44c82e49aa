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
} from '@chatbox/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

export interface AuditStore {
  readonly audit: Audit
  close(): Promise<void>
}

let partitions = 0
/** One that no other test of the suite uses. */
const somePartition = (): number => {
  partitions += 1
  return partitions
}

const someRecord = (request: string, of: Partial<AuditRecord> = {}): AuditRecord => ({
  requestId: requestId(request),
  ts: 1_700_000_000_000,
  actor: 'retention',
  action: 'session.erased',
  ...of,
})

/** Everything that holds for the audit trail, whatever keeps it. Called once for the suite, whose tests use partitions of their own. */
export function auditContract(name: string, build: () => Promise<AuditStore>): void {
  describe(`Audit on ${name}`, () => {
    let built: AuditStore
    beforeAll(async () => {
      built = await build()
    })
    afterAll(() => built.close())
    const audit = () => built.audit

    /** Of so many requests, one after the other. */
    async function chainOf(length: number): Promise<{ partition: number; entries: AuditEntry[] }> {
      const partition = somePartition()
      const entries: AuditEntry[] = []
      for (let i = 1; i <= length; i += 1) {
        const entry = chained(partition, entries.at(-1), someRecord(`request-${i}`))
        expect(await audit().append(entry)).toBe('appended')
        entries.push(entry)
      }
      return { partition, entries }
    }

    it('has nothing at first', async () => {
      const partition = somePartition()
      expect(await audit().last(partition)).toBeUndefined()
      expect(await audit().read(partition, 0, 10)).toEqual([])
    })

    it('gives entries back as they were recorded, with every field and with the fewest, and their hashes still fit', async () => {
      const partition = somePartition()
      const full = someRecord('full', {
        actor: '{$x}@example.org',
        uid: userId('{$x}@example.org'),
        sid: sessionId('s-1'),
        detail: { zeta: 'code', count: 3, 'dotted.key': true, $alpha: false, share: 0.5, empty: '' },
      })
      const first = chained(partition, undefined, full)
      const second = chained(partition, first, someRecord('bare'))
      const third = chained(partition, second, someRecord('nothing to say', { detail: {} }))
      for (const entry of [first, second, third]) {
        expect(await audit().append(entry)).toBe('appended')
        expect(await audit().last(partition)).toEqual(entry)
      }
      const entries = await audit().read(partition, 0, 10)
      expect(entries).toEqual([first, second, third])
      expect(brokenAt(entries)).toBeUndefined()
    })

    it('refuses a place that somebody else has, and what is there stays', async () => {
      const { partition, entries } = await chainOf(2)
      for (const before of [undefined, entries[0]]) {
        expect(await audit().append(chained(partition, before, someRecord('another')))).toBe('taken')
      }
      expect(await audit().read(partition, 0, 10)).toEqual(entries)
    })

    it('refuses a request that is recorded, at any place, its own too', async () => {
      const { partition, entries } = await chainOf(3)
      const [first, second, third] = entries
      if (!first || !second || !third) throw new Error('three were recorded')
      expect(await audit().append(chained(partition, third, someRecord('request-1')))).toBe('recorded-before')
      expect(await audit().append(chained(partition, first, someRecord('request-3')))).toBe('recorded-before')
      expect(await audit().append(second)).toBe('recorded-before')
      expect(await audit().read(partition, 0, 10)).toEqual(entries)
    })

    it('has a chain of its own for each partition', async () => {
      const [one, two] = [await chainOf(2), await chainOf(3)]
      expect(await audit().read(one.partition, 0, 10)).toEqual(one.entries)
      expect(await audit().read(two.partition, 0, 10)).toEqual(two.entries)
      expect((await audit().last(one.partition))?.n).toBe(2)
    })

    it('is read from any place on, in order and in pages', async () => {
      const { partition, entries } = await chainOf(12)
      for (let after = 0; after <= 13; after += 1) {
        for (const limit of [1, 5, 20]) {
          expect(await audit().read(partition, after, limit)).toEqual(entries.slice(after, after + limit))
        }
      }
    })

    it('gives one place to one of 20 who ask for it at once', async () => {
      const { partition, entries } = await chainOf(1)
      const asked = Array.from({ length: 20 }, (_, i) => chained(partition, entries[0], someRecord(`by ${i}`)))
      const outcomes = await Promise.all(asked.map((entry) => audit().append(entry)))
      expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(19)
      expect(await audit().last(partition)).toEqual(asked[outcomes.indexOf('appended')])
    })

    it('has a place for each of 20 requests at once, in a chain that is whole', async () => {
      const partition = somePartition()
      const requests = Array.from({ length: 20 }, (_, i) => `request-${i}`)
      await Promise.all(requests.map((request) => recordIn(audit(), partition, someRecord(request))))
      const entries = await audit().read(partition, 0, 100)
      expect(entries.map(({ n }) => n)).toEqual(requests.map((_, i) => i + 1))
      expect(entries.map((entry) => entry.requestId).sort()).toEqual([...requests].sort())
      expect(brokenAt(entries)).toBeUndefined()
    })

    it('records a request once, of 20 repetitions at once and of later ones', async () => {
      const { partition, entries } = await chainOf(3)
      const record = () => recordIn(audit(), partition, someRecord('repeated'))
      await Promise.all(Array.from({ length: 20 }, record))
      await record()
      const all = await audit().read(partition, 0, 100)
      expect(all.map((entry) => entry.requestId)).toEqual([...entries.map((entry) => entry.requestId), 'repeated'])
      expect(brokenAt(all)).toBeUndefined()
    })
  })
}
