import type { EventHeader, EventPacket, Position } from '@chatbox/core'
import type { Socket } from './socket.ts'

export interface OutboxLimits {
  /** Above it deltas are skipped and repaired by a snapshot later. */
  readonly softBytes: number
  /** Above it the peer is too slow: it is closed, and may resume. */
  readonly hardBytes: number
  /** Bytes kept back while a connection catches up; beyond it the connection is closed as too slow. */
  readonly heldBytes: number
}

export const defaultOutboxLimits: OutboxLimits = { softBytes: 131_072, hardBytes: 2_097_152, heldBytes: 1_048_576 }

/** An event as the fan-out hands it on: bytes for the socket, opened and positioned once for all devices. */
export interface Outgoing {
  readonly header: EventHeader
  readonly frame: Uint8Array
  readonly position?: Position | undefined
}

export interface OutboxEvents {
  /** Deltas were skipped, and the peer has room again: it needs a snapshot of these answers. */
  repair(): void
  /** Too slow, or the transport has dropped a frame: nothing more can be promised on this socket. */
  overwhelmed(): void
}

export interface Outbox {
  /** A frame that must arrive: everything but deltas. */
  send(frame: Uint8Array): void
  /** An event of the user; a delta may be skipped (P10). */
  deliver(event: Outgoing): void
  /** Keeps events back, while something older has to be sent first. */
  hold(): void
  /** Sends what `first` says, then what was kept back unless `first` covers it, then goes on live. */
  release(first: readonly Uint8Array[], covered: (event: Outgoing) => boolean): void
  drained(): void
  readonly holding: boolean
}

export function outbox(socket: Socket, limits: OutboxLimits, events: OutboxEvents): Outbox {
  /** Answers of which a delta was skipped: their later deltas are of no use before a snapshot. */
  const skipped = new Set<string>()
  let held: Outgoing[] | undefined
  let heldBytes = 0
  let over = false

  function overwhelmed(): void {
    if (over) return
    over = true
    held = undefined
    events.overwhelmed()
  }

  function send(frame: Uint8Array): void {
    if (over) return
    if (socket.send(frame) === 'dropped' || socket.buffered() > limits.hardBytes) overwhelmed()
  }

  function pass({ header, frame }: Outgoing): void {
    const { answerId = '' } = header
    if (header.class === 'delta' && (skipped.has(answerId) || socket.buffered() > limits.softBytes)) {
      skipped.add(answerId)
      return
    }
    // The end of an answer needs no repair: a client that has another text fetches the stored one (R14).
    if (header.type === 'answer.done' || header.type === 'answer.snapshot') skipped.delete(answerId)
    send(frame)
  }

  return {
    send,
    deliver(event) {
      if (over) return
      if (!held) return pass(event)
      heldBytes += event.frame.byteLength
      if (heldBytes > limits.heldBytes) return overwhelmed()
      held.push(event)
    },
    hold() {
      held ??= []
    },
    release(first, covered) {
      const kept = held ?? []
      held = undefined
      heldBytes = 0
      skipped.clear()
      for (const frame of first) send(frame)
      for (const event of kept) if (!covered(event)) pass(event)
    },
    drained() {
      if (skipped.size > 0 && !held && socket.buffered() <= limits.softBytes / 2) events.repair()
    },
    get holding() {
      return held !== undefined
    },
  }
}

export const outgoing = (packet: EventPacket, frame: Uint8Array, position?: Position): Outgoing => ({
  header: packet.header,
  frame,
  position,
})
