import { Refusal, type RequestId } from '@chatbox/core'
import type { ClientFrameOf } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { ping } from './ping.ts'

/** A new token for the same user postpones the end (X3); anything else leaves the connection as it was. */
export async function refresh(
  connection: Connection,
  member: Member,
  frame: ClientFrameOf<'auth.refresh'>,
  request: RequestId,
): Promise<void> {
  const identity = await connection.edge.verify.verify(frame.token)
  if (identity.userId !== member.uid) throw new Refusal('forbidden')
  member.identity = identity
  connection.expireAt(identity.expiresAt)
  ping(connection, request)
}
