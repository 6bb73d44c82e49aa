import type { ConnectionId, Registration, Registry } from '@chatbox/core'

type Row = Pick<Registration, 'uid' | 'connectionId'>

/**
 * Rows that could not be taken out of the registry. As long as this edge lives they would count against their users (S3), so each
 * renewal of its lease tries again.
 */
export interface Leftovers {
  takeOut(row: Row): Promise<void>
  again(): Promise<void>
  readonly size: number
}

/** With more the oldest are let go: they end with the edge's lease. */
const MOST = 50_000

export function createLeftovers(registry: Registry): Leftovers {
  const rows = new Map<ConnectionId, Row>()

  async function takeOut({ uid, connectionId }: Row): Promise<void> {
    rows.set(connectionId, { uid, connectionId })
    const [oldest] = rows.keys()
    if (rows.size > MOST && oldest !== undefined) rows.delete(oldest)
    await registry.unregister({ uid, connectionId })
    rows.delete(connectionId)
  }

  return {
    takeOut,
    async again() {
      // One after another, and no further than the first that fails: the store is away, or it is not.
      for (const row of [...rows.values()]) await takeOut(row)
    },
    get size() {
      return rows.size
    },
  }
}
