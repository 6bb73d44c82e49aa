import { setTimeout as pause } from 'node:timers/promises'
import { type Position, Unavailable } from '@chatbox/core'
import { encodeFrame } from '@chatbox/protocol'
import { backoff } from '@chatbox/runtime'
import type { Connection } from './connection.ts'
import type { FeedMember } from './feed.ts'
import type { EdgeMetrics } from './metrics.ts'
import { type Outbox, type OutboxEvents, type Outgoing, outbox } from './outbox.ts'
import { readyFrame } from './ready.ts'
import type { Socket } from './socket.ts'

/** What is needed of a connection that gets its user's events. */
type Receiver = Pick<Connection, 'id' | 'edge' | 'log' | 'requests' | 'member' | 'close'>

export type { Receiving }

export const receiving = (socket: Socket, receiver: Receiver): Receiving => new Receiving(socket, receiver)

/** How the events of a user reach one socket. */
class Receiving implements FeedMember {
  readonly out: Outbox
  readonly #receiver: Receiver

  constructor(socket: Socket, receiver: Receiver) {
    const { metrics, outboxLimits } = receiver.edge
    this.out = outbox(new CountedSocket(socket, metrics.sent), outboxLimits, new Repairs(this, receiver))
    this.#receiver = receiver
  }

  deliver(event: Outgoing): void {
    const { id, requests } = this.#receiver
    const { origin, except } = event.header
    if (origin?.connectionId === id) requests.settle(origin.requestId)
    if (except !== id) this.out.deliver(event)
  }

  lost(top: Position): void {
    const { edge, member } = this.#receiver
    // Older events are still to be sent, and would follow the word that they are in doubt: it begins again.
    if (this.out.holding) return this.#receiver.close('internal')
    edge.metrics.lost.inc({ occasion: 'gap' })
    if (member) this.out.send(encodeFrame(readyFrame(this.#receiver, member, { top, recovered: false })))
  }

  repair(): void {
    this.out.missed()
  }
}

/** What is done about events that did not reach a socket. */
class Repairs implements OutboxEvents {
  readonly #receiving: Receiving
  readonly #receiver: Receiver

  constructor(receiving: Receiving, receiver: Receiver) {
    this.#receiving = receiving
    this.#receiver = receiver
  }

  repair(): void {
    if (!this.#receiver.member) return
    this.#receiving.out.hold()
    this.#receiver.edge.metrics.repairs.inc()
    void this.#repairUntilDone()
  }

  /** While the store is away the socket stays, and what comes for it is kept back, within bounds. */
  async #repairUntilDone(): Promise<void> {
    for (let tries = 0; ; tries++) {
      const { member, log } = this.#receiver
      if (!member) return
      try {
        const { frames } = await member.feed.snapshotInTurn()
        return this.#receiving.out.release(frames, () => false)
      } catch (err) {
        log.warn({ err, tries }, 'no snapshot could be had')
        if (!(err instanceof Unavailable)) return this.#receiver.close('internal')
        await pause(backoff(tries, { base: 100, max: 5_000 }), undefined, { ref: false })
      }
    }
  }

  overwhelmed(): void {
    this.#receiver.close('slow_consumer')
  }
}

class CountedSocket implements Socket {
  readonly #socket: Socket
  readonly #sent: EdgeMetrics['sent']

  constructor(socket: Socket, sent: EdgeMetrics['sent']) {
    this.#socket = socket
    this.#sent = sent
  }

  send(frame: Uint8Array) {
    this.#sent.inc()
    return this.#socket.send(frame)
  }

  buffered() {
    return this.#socket.buffered()
  }

  close(code: number, reason: string) {
    this.#socket.close(code, reason)
  }
}
