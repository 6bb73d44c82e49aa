import { type EntryBody, encodeEntry, partitionOf, type RequestId, randomId, requestId } from '@chatbox/core'
import type { ErrorDetails } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'

type Distributed<T> = T extends EntryBody ? Omit<T, 'uid' | 'requestId' | 'replyTo'> : never

/** Puts what a client asks on the ingest log, and makes sure that it hears of it within the time limit (P8). */
export async function request(
  connection: Connection,
  member: Member,
  asked: Distributed<EntryBody>,
  visible: RequestId,
  details: ErrorDetails,
): Promise<void> {
  const { edge, id } = connection
  const fail = (code: 'overloaded' | 'unavailable') => connection.fail(code, { requestId: visible }, details)
  if (!connection.requests.open(visible, () => fail('unavailable'))) return fail('overloaded')

  const entry = {
    ...asked,
    uid: member.uid,
    // Clients choose theirs, so they may choose the same one; what is kept under an id needs one of our own.
    requestId: requestId(randomId()),
    replyTo: { edgeId: edge.edgeId, connectionId: id, requestId: visible },
  } as EntryBody
  const taken = await edge.fabric.ingest.append({
    partition: partitionOf(member.uid, edge.partitions),
    packet: encodeEntry(entry),
    ttlMs: edge.times.requestMs,
  })
  if (taken === 'taken') return
  connection.requests.settle(visible)
  fail(taken === 'full' ? 'overloaded' : 'unavailable')
}
