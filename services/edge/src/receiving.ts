import { encodeFrame } from '@chatbox/protocol'
import type { Connection } from './connection.ts'
import type { FeedMember } from './feed.ts'
import { type Outbox, outbox } from './outbox.ts'
import { readyFrame } from './ready.ts'
import type { Socket } from './socket.ts'

/** What is needed of a connection that gets its user's events. */
type Receiver = Pick<Connection, 'id' | 'edge' | 'log' | 'requests' | 'member' | 'close'>

/** How the events of a user reach one socket, and what is done about those that did not. */
export function receiving(socket: Socket, receiver: Receiver): { out: Outbox; asMember: FeedMember } {
  const { id, log, requests } = receiver
  const { metrics, outboxLimits } = receiver.edge

  const counted: Socket = {
    send(frame) {
      metrics.sent.inc()
      return socket.send(frame)
    },
    buffered: () => socket.buffered(),
    close: (code, reason) => socket.close(code, reason),
  }
  const out = outbox(counted, outboxLimits, { repair, overwhelmed: () => receiver.close('slow_consumer') })

  function repair(): void {
    const feed = receiver.member?.feed
    if (!feed) return
    out.hold()
    metrics.repairs.inc()
    feed.snapshot().then(
      ({ frames }) => out.release(frames, () => false),
      (err) => {
        log.warn({ err }, 'no snapshot could be had')
        receiver.close('internal')
      },
    )
  }

  const asMember: FeedMember = {
    deliver(event) {
      const { origin, except } = event.header
      if (origin?.connectionId === id) requests.settle(origin.requestId)
      if (except !== id) out.deliver(event)
    },
    lost(top) {
      // Older events are still to be sent, and would follow the word that they are in doubt: it begins again.
      if (out.holding) return receiver.close('internal')
      metrics.lost.inc({ occasion: 'gap' })
      if (receiver.member) {
        out.send(encodeFrame(readyFrame(receiver, receiver.member, { top, recovered: false })))
      }
    },
    repair: () => out.missed(),
  }
  return { out, asMember }
}
