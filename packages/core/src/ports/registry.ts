import type { ConnectionId, DeviceId, EdgeId, UserId } from '../ids.ts'

export interface Registration {
  readonly uid: UserId
  readonly connectionId: ConnectionId
  readonly deviceId: DeviceId
  readonly edgeId: EdgeId
  readonly since: number
}

export type Registered =
  | { readonly kind: 'registered'; readonly replaced: readonly Registration[]; readonly count: number }
  | { readonly kind: 'refused'; readonly others: readonly Registration[] }

/** Who is connected where, across all edges (S2–S4, S8). */
export interface Registry {
  /**
   * Adds a connection in one step: rows of the same device are taken out and returned, then the cap is counted over live edges. Registering a
   * connection that is there already is harmless.
   */
  register(row: Registration, cap: number): Promise<Registered>
  unregister(row: Pick<Registration, 'uid' | 'connectionId'>): Promise<void>
  list(uid: UserId): Promise<Registration[]>
  count(uid: UserId): Promise<number>
  /** Keeps an edge's rows alive. `lost`: the store does not know the edge (any more), which must register its connections again. */
  renew(edge: EdgeId): Promise<'renewed' | 'lost'>
  /** The edge goes: its rows stop counting now. */
  leave(edge: EdgeId): Promise<void>
}
