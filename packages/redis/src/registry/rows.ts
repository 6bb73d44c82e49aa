import {
  type ConnectionId,
  connectionId,
  deviceId,
  type EdgeId,
  edgeId,
  type Registration,
  type UserId,
} from '@chatbox/core'
import { listOf, type Reply, textOf } from '../connection/script.ts'

/** One life of an edge; after its end a new one begins, and rows of the old one never count again. */
export type Life = string

export interface Row {
  readonly life: Life
  readonly registration: Registration
}

export const rowText = (life: Life, { edgeId: edge, deviceId: device, since }: Registration): string =>
  JSON.stringify([life, edge, device, since])

/** Connection ids and rows, in turns. */
export function rowsOf(uid: UserId, reply: Reply | undefined): Row[] {
  const pairs = listOf(reply)
  return pairs.flatMap((id, i) => (i % 2 === 0 ? [rowOf(uid, connectionId(textOf(id)), textOf(pairs[i + 1]))] : []))
}

function rowOf(uid: UserId, connection: ConnectionId, text: string): Row {
  // Written by `rowText`.
  const [life, edge, device, since] = JSON.parse(text) as [Life, string, string, number]
  return {
    life,
    registration: {
      uid,
      connectionId: connection,
      deviceId: deviceId(device),
      edgeId: edgeId(edge),
      since,
    },
  }
}

export interface LivingEdge {
  readonly edge: EdgeId
  readonly life: Life
  readonly leftMs: number
}

export const livingOf = (reply: Reply | undefined): LivingEdge[] =>
  listOf(reply).map((entry) => {
    const [edge, life, left] = listOf(entry)
    return { edge: edgeId(textOf(edge)), life: textOf(life), leftMs: Number(left) }
  })
