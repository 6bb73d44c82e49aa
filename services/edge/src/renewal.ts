import type { Connection } from './connection.ts'
import type { EdgeContext } from './deps.ts'

/** So many at once: one after another, a full edge would take longer than its lease lasts. */
const AT_ONCE = 100

/** Keeps the edge's lease, and fills a registry that lost its rows (S8). */
export function renewal(
  { edgeId, fabric, log }: EdgeContext,
  connections: () => Iterable<Connection>,
): () => Promise<void> {
  /** Until every connection has been registered again, however often that takes. */
  let incomplete = false

  async function register(connection: Connection): Promise<void> {
    const row = connection.member?.row
    if (!row) return
    // Those who are in stay in: the cap is for newcomers.
    await fabric.registry.register(row, Number.MAX_SAFE_INTEGER)
    if (connection.member?.row !== row) await fabric.registry.unregister(row)
  }

  return async () => {
    if ((await fabric.registry.renew(edgeId)) === 'lost') incomplete = true
    if (!incomplete) return
    const all = [...connections()]
    log.warn({ connections: all.length }, 'the registry does not know this edge; registering its connections again')
    for (let i = 0; i < all.length; i += AT_ONCE) await Promise.all(all.slice(i, i + AT_ONCE).map(register))
    incomplete = false
  }
}
