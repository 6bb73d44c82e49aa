import { type EntryBody, encodeEntry, partitionOf, Refusal, type RequestId, randomId, requestId } from '@chatbox/core'
import type { ErrorDetails } from '@chatbox/protocol'
import type { Connection, Member } from '../connection.ts'
import { spend } from './spend.ts'

type Distributed<T> = T extends EntryBody ? Omit<T, 'uid' | 'requestId' | 'replyTo'> : never

/** What a client asks for, as an entry without what is the same for all of them. */
export type Asked = Distributed<EntryBody>

/** Which request of a connection, and what an error about it repeats. */
export interface Visible {
  readonly id: RequestId
  readonly details: ErrorDetails
}

/** Puts what a client asks on the ingest log, in the order in which it asks, and makes sure that it hears of it within the time limit (P8). */
export async function request(
  connection: Connection,
  member: Member,
  visible: Visible,
  ask: () => Promise<Asked>,
): Promise<void> {
  const { edge, id, requests } = connection
  const refuse = (refusal: Refusal) => connection.refuse(refusal, { requestId: visible.id }, visible.details)
  const waiting = requests.open(visible.id, () => refuse(new Refusal('unavailable')))
  if (!waiting) return refuse(new Refusal('overloaded'))

  async function append(): Promise<void> {
    const entry = {
      ...(await ask()),
      uid: member.uid,
      // Clients choose theirs, so they may choose the same one; what is kept under an id needs one of our own.
      requestId: requestId(randomId()),
      replyTo: { edgeId: edge.edgeId, connectionId: id, requestId: visible.id },
    } as EntryBody
    const taken = await edge.fabric.ingest.append({
      partition: partitionOf(member.uid, edge.partitions),
      packet: encodeEntry(entry),
      ttlMs: edge.times.requestMs,
    })
    if (taken !== 'taken') throw new Refusal(taken === 'full' ? 'overloaded' : 'unavailable')
  }

  await requests.inTurn(async () => {
    // Its time was up before its turn came: it asks again, and must not be done twice as late.
    if (waiting.toldUnknown) return
    try {
      await append()
    } catch (error) {
      if (!waiting.settle())
        return connection.log.warn({ err: error }, 'a request failed that nobody waits for any more')
      if (!(error instanceof Refusal)) throw error
      refuse(error)
    }
  })
}

/** Everything but a message counts against a budget of its own, so that reading along never costs anybody a message. */
export const smallRequest = (c: Connection, member: Member, visible: Visible, asked: Asked): Promise<void> =>
  request(c, member, visible, async () => {
    await spend(c, 'requests', member.uid)
    return asked
  })
