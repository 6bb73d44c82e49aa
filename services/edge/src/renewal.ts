import type { Registration } from '@chatbox/core'
import type { Connection } from './connection.ts'
import type { EdgeContext } from './deps.ts'
import { giveNotice } from './handlers/hello.ts'

/** So many at once: one after another, a full edge would take longer than its lease lasts. */
const AT_ONCE = 100
/** The second round is for those whose hello was under way in the first. */
const ROUNDS = 2

export interface Renewal {
  renew(): Promise<void>
  /** Words that a connection was replaced may have been missed: the next rounds find those out (S4). */
  missedWords(): void
}

/** Keeps the edge's lease, and fills a registry that lost its rows (S8). */
export function renewal(
  { edgeId, fabric, leftovers, log, maxConnections, metrics }: EdgeContext,
  connections: () => Iterable<Connection>,
): Renewal {
  const { registry } = fabric
  let rounds = 0

  /**
   * While our rows or our ear were lost the same device may have come in elsewhere, and nobody could tell us. Whoever stands in the
   * registry by now keeps the place, whatever the clocks of two edges say; on one edge the clock says which of two is the later one.
   */
  const outlives = (other: Registration, row: Registration) =>
    other.deviceId === row.deviceId &&
    other.connectionId !== row.connectionId &&
    (other.edgeId !== row.edgeId || other.since > row.since)

  async function register(connection: Connection): Promise<void> {
    const row = connection.member?.row
    if (!row) return
    const rows = await registry.list(row.uid)
    if (rows.some(({ connectionId }) => connectionId === row.connectionId)) return
    if (rows.some((other) => outlives(other, row))) return giveWay(connection)

    const registered = await registry.register(row, maxConnections)
    if (connection.member?.row !== row) return registry.unregister(row)
    if (registered.kind === 'refused') return tooMany(connection)
    const [later] = registered.replaced.filter((other) => outlives(other, row))
    if (!later) return giveNotice(connection, registered.replaced)
    // It came between our look and our step. Putting it back takes ours out.
    await registry.register(later, Number.MAX_SAFE_INTEGER)
    giveWay(connection)
  }

  function giveWay(connection: Connection): void {
    metrics.replaced.inc()
    connection.send({ type: 'notice', code: 'replaced', message: 'This chat was opened anew by the same device.' })
    connection.close('replaced')
  }

  function tooMany(connection: Connection): void {
    connection.fail('connection_limit', {})
    connection.close('connection_limit')
  }

  async function registerAll(): Promise<void> {
    const all = [...connections()]
    if (all.length > 0)
      log.warn({ connections: all.length }, 'rows or words may have been lost; registering its connections again')
    for (let i = 0; i < all.length; i += AT_ONCE) await Promise.all(all.slice(i, i + AT_ONCE).map(register))
  }

  return {
    async renew() {
      if ((await registry.renew(edgeId)) === 'lost') rounds = ROUNDS
      await leftovers.again()
      if (rounds === 0) return
      await registerAll()
      rounds -= 1
    },
    missedWords() {
      rounds = ROUNDS
    },
  }
}
