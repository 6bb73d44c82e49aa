import type { Registered, Registry, UserId } from '@chatbox/core'
import { listOf, textOf } from '../connection/script.ts'
import type { Store } from '../connection/store.ts'
import type { Keys } from '../keys.ts'
import type { RedisClocks } from '../options.ts'
import { createEdges } from './edges.ts'
import { type Life, type Row, rowsOf, rowText } from './rows.ts'
import { registerRow } from './scripts.ts'

export interface RegistryDeps {
  readonly store: Store
  readonly keys: Keys
  readonly clocks: Pick<RedisClocks, 'edgeLeaseMs' | 'edgesFreshMs' | 'idleMs'>
}

export interface RedisRegistry extends Registry {
  close(): void
}

/** A row of an edge that died while it was looked for is found in the next try; more than this many do not die at once. */
const TRIES = 4

/**
 * A user's rows are where the user's keys are, and the edges' leases somewhere else, which no script can see from there. So a script
 * is told which lives are over, and one that met rows of others is repeated when some of those prove to be over too.
 */
export function createRegistry({ store, keys, clocks }: RegistryDeps): RedisRegistry {
  const edges = createEdges({ store, keys, clocks })
  const rowsKey = (uid: UserId) => keys.ofUser(uid).connections
  const livesOf = (rows: readonly Row[]): Life[] => [...new Set(rows.map(({ life }) => life))]
  const registrationsOf = (rows: readonly Row[]) => rows.map(({ registration }) => registration)

  /** The rows that count; the others are taken out. */
  async function counted(uid: UserId): Promise<Row[]> {
    const rows = rowsOf(uid, await store.command(rowsKey(uid), 'HGETALL', rowsKey(uid)))
    const over = new Set(await edges.over(livesOf(rows), true))
    const gone = rows.filter(({ life }) => over.has(life)).map(({ registration }) => registration.connectionId)
    if (gone.length > 0) await store.command(rowsKey(uid), 'HDEL', rowsKey(uid), ...gone)
    return rows.filter(({ life }) => !over.has(life))
  }

  return {
    async register(row, cap): Promise<Registered> {
      const { uid, connectionId, deviceId, edgeId } = row
      const life = await edges.lifeOf(edgeId)
      const over = new Set<Life>()
      const replaced: Row[] = []
      for (let tries = 1; ; tries += 1) {
        const args = [connectionId, rowText(life, row), deviceId, cap, clocks.idleMs, ...over]
        const reply = listOf(await store.call(registerRow, [rowsKey(uid)], args))
        const refused = textOf(reply[0]) === 'refused'
        const others = rowsOf(uid, reply[2])
        // Repeated, it finds only what it has not replaced yet.
        replaced.push(...rowsOf(uid, reply[1]))
        const found = await edges.over(livesOf([...others, ...replaced]), refused)
        const unknown = found.filter((each) => !over.has(each))
        for (const each of unknown) over.add(each)
        if (unknown.length > 0 && others.some((other) => over.has(other.life)) && tries < TRIES) continue
        if (refused) return { kind: 'refused', others: registrationsOf(others) }
        const alive = replaced.filter((each) => !over.has(each.life))
        return { kind: 'registered', replaced: registrationsOf(alive), count: others.length + 1 }
      }
    },
    async unregister({ uid, connectionId }) {
      await store.command(rowsKey(uid), 'HDEL', rowsKey(uid), connectionId)
    },
    async list(uid) {
      return registrationsOf(await counted(uid))
    },
    async count(uid) {
      return (await counted(uid)).length
    },
    renew: (edge) => edges.renew(edge),
    leave: (edge) => edges.leave(edge),
    close: () => edges.close(),
  }
}
