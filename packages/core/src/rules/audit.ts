import { createHash } from 'node:crypto'
import type { Audit, AuditEntry, AuditRecord } from '../ports/audit.ts'

/** The same whatever the order of properties in which a database gives an entry back. */
const hashOf = ({
  partition,
  n,
  prev,
  requestId,
  ts,
  actor,
  action,
  uid,
  sid,
  detail,
}: Omit<AuditEntry, 'hash'>): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        partition,
        n,
        prev,
        requestId,
        ts,
        actor,
        action,
        uid ?? null,
        sid ?? null,
        Object.entries(detail ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
      ]),
    )
    .digest('base64url')

export function chained(partition: number, last: AuditEntry | undefined, record: AuditRecord): AuditEntry {
  const entry = { ...record, partition, n: (last?.n ?? 0) + 1, prev: last?.hash ?? '' }
  return { ...entry, hash: hashOf(entry) }
}

/** Adds to the end of the partition's chain. A record of a request that is there already is left as it is. */
export async function recordIn(audit: Audit, partition: number, record: AuditRecord): Promise<void> {
  for (;;) {
    const done = await audit.append(chained(partition, await audit.last(partition), record))
    if (done !== 'taken') return
  }
}

/** The number of the first entry that does not follow from those before it; undefined for a chain that is whole. */
export function brokenAt(entries: readonly AuditEntry[], before?: AuditEntry): number | undefined {
  let last = before
  for (const entry of entries) {
    const { hash, ...rest } = entry
    if (entry.n !== (last?.n ?? 0) + 1 || entry.prev !== (last?.hash ?? '') || hash !== hashOf(rest)) return entry.n
    last = entry
  }
  return undefined
}
