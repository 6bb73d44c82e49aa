import type { EventHeader, EventPacket, Position } from '@chatbox/core'
import type { Socket } from './socket.ts'

export interface OutboxLimits {
  /** Above it deltas are skipped and repaired by a snapshot later, and older events wait until there is room. */
  readonly softBytes: number
  /** Above it the peer is too slow: it is closed, and may resume. */
  readonly hardBytes: number
  /** Bytes of events kept back while a connection catches up; beyond it the connection is closed as too slow. */
  readonly heldBytes: number
  /** Missed events that are kept for one connection while it takes them; with more it is told to load again. */
  readonly missedBytes: number
}

export const defaultOutboxLimits: OutboxLimits = {
  softBytes: 131_072,
  hardBytes: 2_097_152,
  heldBytes: 1_048_576,
  missedBytes: 4_194_304,
}

/** An event as the fan-out hands it on: bytes for the socket, opened and positioned once for all devices. */
export interface Outgoing {
  readonly header: EventHeader
  readonly frame: Uint8Array
  readonly position?: Position | undefined
}

export interface OutboxEvents {
  /** Deltas were missed, and the peer has room again: it needs a snapshot of the open answers. Is to call `hold`. */
  repair(): void
  /** Too slow, or the transport has dropped a frame: nothing more can be promised on this socket. */
  overwhelmed(): void
}

export interface Outbox {
  /** A frame that must arrive: everything but deltas. */
  send(frame: Uint8Array): void
  /** An event of the user; a delta may be skipped (P10). */
  deliver(event: Outgoing): void
  /** Keeps events back, until `release` says what has to be sent first. Whatever a snapshot holds is asked for after this. */
  hold(): void
  /** Sends what `first` says, as fast as the peer takes it, then what was kept back unless it is covered, then goes on live. */
  release(first: readonly Uint8Array[], covered: (event: Outgoing) => boolean): void
  /** Deltas may have been missed on their way here. */
  missed(): void
  drained(): void
  /** Nothing is sent any more. */
  close(): void
  readonly holding: boolean
}

interface Older {
  readonly frames: readonly Uint8Array[]
  readonly covered: (event: Outgoing) => boolean
  sent: number
}

export function outbox(socket: Socket, limits: OutboxLimits, events: OutboxEvents): Outbox {
  /** Answers of which a delta was skipped: their later deltas are of no use before a snapshot. */
  const skipped = new Set<string>()
  /** A snapshot is needed whatever was skipped here. */
  let missed = false
  let held: Outgoing[] | undefined
  let heldBytes = 0
  /** What goes out before the events that are held. */
  let older: Older | undefined
  let over = false

  function close(): void {
    over = true
    held = undefined
    older = undefined
  }

  function overwhelmed(): void {
    if (over) return
    close()
    events.overwhelmed()
  }

  function send(frame: Uint8Array): void {
    if (over) return
    if (socket.send(frame) === 'dropped' || socket.buffered() > limits.hardBytes) overwhelmed()
  }

  /** True for a delta that the peer is not to get. */
  function skips({ header }: Outgoing, crowded: boolean): boolean {
    const { answerId = '' } = header
    if (header.class !== 'delta' || !(skipped.has(answerId) || crowded)) return false
    skipped.add(answerId)
    return true
  }

  function pass(event: Outgoing): void {
    if (over || skips(event, socket.buffered() > limits.softBytes)) return
    // The end of an answer needs no repair: a client that has another text fetches the stored one (R14).
    if (event.header.type === 'answer.done') skipped.delete(event.header.answerId ?? '')
    send(event.frame)
  }

  function keep(kept: Outgoing[], event: Outgoing): void {
    if (skips(event, heldBytes > limits.softBytes)) return
    heldBytes += event.frame.byteLength
    if (heldBytes > limits.heldBytes) return overwhelmed()
    kept.push(event)
  }

  /** All at once could be more than the socket may hold, however fast its peer is. */
  function sendOlder(): void {
    while (older && older.sent < older.frames.length) {
      if (socket.buffered() > limits.softBytes) return
      const frame = older.frames[older.sent++]
      if (frame) send(frame)
    }
    if (!older) return
    const { covered } = older
    const kept = held ?? []
    older = undefined
    held = undefined
    heldBytes = 0
    for (const event of kept) if (!covered(event)) pass(event)
    repairWhenThereIsRoom()
  }

  function repairWhenThereIsRoom(): void {
    if (over || held || !(missed || skipped.size > 0)) return
    if (socket.buffered() <= limits.softBytes / 2) events.repair()
  }

  return {
    send,
    deliver(event) {
      if (over) return
      if (held) keep(held, event)
      else pass(event)
    },
    hold() {
      if (over || held) return
      held = []
      // What was missed up to here will be in the snapshot.
      skipped.clear()
      missed = false
    },
    release(frames, covered) {
      if (over) return
      older = { frames, covered, sent: 0 }
      sendOlder()
    },
    missed() {
      missed = true
      repairWhenThereIsRoom()
    },
    drained() {
      if (older) sendOlder()
      else repairWhenThereIsRoom()
    },
    close,
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
