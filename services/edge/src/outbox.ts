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

interface Older {
  readonly frames: readonly Uint8Array[]
  readonly covered: (event: Outgoing) => boolean
  sent: number
}

export type { Outbox }

export const outbox = (socket: Socket, limits: OutboxLimits, events: OutboxEvents): Outbox =>
  new Outbox(socket, limits, events)

/** What one socket is sent, and in what order. A class, because every connection has one: its methods are there once. */
class Outbox {
  readonly #socket: Socket
  readonly #limits: OutboxLimits
  readonly #events: OutboxEvents
  /** Answers of which a delta was skipped: their later deltas are of no use before a snapshot. */
  #skipped: Set<string> | undefined
  /** A snapshot is needed whatever was skipped here. */
  #missed = false
  #held: Outgoing[] | undefined
  #heldBytes = 0
  /** What goes out before the events that are held. */
  #older: Older | undefined
  #over = false

  constructor(socket: Socket, limits: OutboxLimits, events: OutboxEvents) {
    this.#socket = socket
    this.#limits = limits
    this.#events = events
  }

  get holding(): boolean {
    return this.#held !== undefined
  }

  /** A frame that must arrive: everything but deltas. */
  send(frame: Uint8Array): void {
    if (this.#over) return
    const sent = this.#socket.send(frame)
    // What the peer has taken leaves nothing behind; asking would cost a call into the transport for every event.
    if (sent === 'sent') return
    if (sent === 'dropped' || this.#socket.buffered() > this.#limits.hardBytes) this.#overwhelmed()
  }

  /** An event of the user; a delta may be skipped (P10). */
  deliver(event: Outgoing): void {
    if (this.#over) return
    if (this.#held) this.#keep(this.#held, event)
    else this.#pass(event)
  }

  /** Keeps events back, until `release` says what has to be sent first. Whatever a snapshot holds is asked for after this. */
  hold(): void {
    if (this.#over || this.#held) return
    this.#held = []
    // What was missed up to here will be in the snapshot.
    this.#skipped = undefined
    this.#missed = false
  }

  /** Sends these first, as fast as the peer takes them, then what was kept back unless it is covered, then goes on live. */
  release(frames: readonly Uint8Array[], covered: (event: Outgoing) => boolean): void {
    if (this.#over) return
    this.#older = { frames, covered, sent: 0 }
    this.#sendOlder()
  }

  /** Deltas may have been missed on their way here. */
  missed(): void {
    this.#missed = true
    this.#repairWhenThereIsRoom()
  }

  drained(): void {
    if (this.#older) this.#sendOlder()
    else this.#repairWhenThereIsRoom()
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#over = true
    this.#held = undefined
    this.#older = undefined
  }

  #overwhelmed(): void {
    if (this.#over) return
    this.close()
    this.#events.overwhelmed()
  }

  /** True for a delta that the peer is not to get. */
  #skips({ header }: Outgoing, isCrowded: () => boolean): boolean {
    if (header.class !== 'delta') return false
    const { answerId = '' } = header
    if (!this.#skipped?.has(answerId) && !isCrowded()) return false
    this.#skipped ??= new Set()
    this.#skipped.add(answerId)
    return true
  }

  #pass(event: Outgoing): void {
    if (this.#over || this.#skips(event, () => this.#socket.buffered() > this.#limits.softBytes)) return
    // The end of an answer needs no repair: a client that has another text fetches the stored one (R14).
    if (event.header.type === 'answer.done') this.#skipped?.delete(event.header.answerId ?? '')
    this.send(event.frame)
  }

  #keep(kept: Outgoing[], event: Outgoing): void {
    if (this.#skips(event, () => this.#heldBytes > this.#limits.softBytes)) return
    this.#heldBytes += event.frame.byteLength
    if (this.#heldBytes > this.#limits.heldBytes) return this.#overwhelmed()
    kept.push(event)
  }

  /** All at once could be more than the socket may hold, however fast its peer is. */
  #sendOlder(): void {
    while (this.#older && this.#older.sent < this.#older.frames.length) {
      if (this.#socket.buffered() > this.#limits.softBytes) return
      const frame = this.#older.frames[this.#older.sent++]
      if (frame) this.send(frame)
    }
    if (!this.#older) return
    const { covered } = this.#older
    const kept = this.#held ?? []
    this.#older = undefined
    this.#held = undefined
    this.#heldBytes = 0
    for (const event of kept) if (!covered(event)) this.#pass(event)
    this.#repairWhenThereIsRoom()
  }

  #repairWhenThereIsRoom(): void {
    if (this.#over || this.#held || !(this.#missed || (this.#skipped?.size ?? 0) > 0)) return
    if (this.#socket.buffered() <= this.#limits.softBytes / 2) this.#events.repair()
  }
}

export const outgoing = (packet: EventPacket, frame: Uint8Array, position?: Position): Outgoing => ({
  header: packet.header,
  frame,
  position,
})
