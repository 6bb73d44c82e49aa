import { randomUUID } from 'node:crypto'
import {
  connectionId,
  deviceId,
  type EdgeId,
  edgeId,
  type Registration,
  type Registry,
  type UserId,
} from '@chatbox/core'

const unique = () => randomUUID().slice(0, 8)

export const CAP = 10

export const row = (uid: UserId, edge: EdgeId, device = unique()): Registration => ({
  uid,
  connectionId: connectionId(`c-${unique()}`),
  deviceId: deviceId(device),
  edgeId: edge,
  since: 1_700_000_000_000,
})

/** An edge that the store knows. */
export async function someEdge(registry: Registry): Promise<EdgeId> {
  const edge = edgeId(`edge-${unique()}`)
  await registry.renew(edge)
  return edge
}

export const connectionsOf = async (registry: Registry, uid: UserId) =>
  (await registry.list(uid)).map(({ connectionId: id }) => id)
