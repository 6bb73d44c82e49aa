import type { ConnectionId, EdgeId, Registration, Registry, UserId } from '@chatbox/core'
import type { MemoryClocks, MemoryStructure } from './options.ts'

/** One life of an edge. After its end a new one begins, so that rows of the old one never count again. */
interface EdgeLife {
  /** False while it is only known by its connections: it has to learn that earlier ones are lost. */
  renewed: boolean
  until: number
}

interface Row {
  readonly registration: Registration
  readonly life: EdgeLife
}

export interface MemoryRegistry extends Registry {
  empty(): void
  sweep(): void
  readonly sizes: { readonly connections: number; readonly edges: number }
}

export interface RegistryOptions {
  readonly clocks: MemoryClocks
  readonly now: () => number
  readonly released: (structure: MemoryStructure, count: number) => void
}

export function createRegistry({ clocks, now, released }: RegistryOptions): MemoryRegistry {
  const users = new Map<UserId, Map<ConnectionId, Row>>()
  const edges = new Map<EdgeId, EdgeLife>()
  let connections = 0
  /** An edge's life has ended since the last sweep, so there may be rows that do not count. */
  let deadRows = false

  const alive = (life: EdgeLife) => life.until > now()

  const lifeOf = (edge: EdgeId): EdgeLife => {
    const known = edges.get(edge)
    if (known && alive(known)) return known
    if (known) deadRows = true
    const life = { renewed: false, until: now() + clocks.edgeLeaseMs }
    edges.set(edge, life)
    return life
  }

  const remove = (uid: UserId, rows: Map<ConnectionId, Row>, connectionId: ConnectionId) => {
    if (!rows.delete(connectionId)) return
    connections -= 1
    if (rows.size === 0) users.delete(uid)
  }

  /** The user's rows, without those of dead edges, which are dropped here. */
  const rowsOf = (uid: UserId): Map<ConnectionId, Row> => {
    const rows = users.get(uid)
    if (!rows) return new Map()
    for (const [connectionId, { life }] of rows) {
      if (alive(life)) continue
      remove(uid, rows, connectionId)
      released('connections', 1)
    }
    return rows
  }

  const registrations = (rows: Map<ConnectionId, Row>) =>
    [...rows.values()].map(({ registration }) => ({ ...registration }))

  return {
    async register(row, cap) {
      const { uid, connectionId, deviceId, edgeId, since } = row
      const rows = rowsOf(uid)
      const others = registrations(rows).filter((other) => other.connectionId !== connectionId)
      const replaced = others.filter((other) => other.deviceId === deviceId)
      const known = rows.has(connectionId)
      if (!known && others.length - replaced.length >= cap) return { kind: 'refused', others }
      for (const other of replaced) remove(uid, rows, other.connectionId)
      rows.set(connectionId, { registration: { uid, connectionId, deviceId, edgeId, since }, life: lifeOf(edgeId) })
      if (!known) connections += 1
      users.set(uid, rows)
      return { kind: 'registered', replaced, count: rows.size }
    },
    async unregister({ uid, connectionId }) {
      const rows = users.get(uid)
      if (rows) remove(uid, rows, connectionId)
    },
    async list(uid) {
      return registrations(rowsOf(uid))
    },
    async count(uid) {
      return rowsOf(uid).size
    },
    async renew(edge) {
      const life = lifeOf(edge)
      const known = life.renewed
      life.renewed = true
      life.until = now() + clocks.edgeLeaseMs
      return known ? 'renewed' : 'lost'
    },
    async leave(edge) {
      const life = edges.get(edge)
      if (!life) return
      life.until = now()
      edges.delete(edge)
      deadRows = true
    },
    empty() {
      users.clear()
      edges.clear()
      connections = 0
    },
    sweep() {
      for (const [edge, life] of edges) {
        if (alive(life)) continue
        edges.delete(edge)
        deadRows = true
        released('edges', 1)
      }
      if (!deadRows) return
      deadRows = false
      for (const uid of users.keys()) rowsOf(uid)
    },
    get sizes() {
      return { connections, edges: edges.size }
    },
  }
}
