import type { EdgeId, UserId } from '../ids.ts'
import type { EventPacket, ReplyPacket } from '../packet.ts'
import type { Position } from '../position.ts'

export type Appended = { readonly kind: 'appended'; readonly position: Position } | { readonly kind: 'stale' }

/** Why a log can't be read on from a position: never a silent gap (P4). */
export type LogRead =
  | { readonly kind: 'events'; readonly events: readonly LoggedEvent[]; readonly top: Position }
  | { readonly kind: 'lost'; readonly top: Position }

export interface LoggedEvent {
  readonly packet: EventPacket
  readonly position: Position
}

export interface BusListener {
  /** In the order of the log for logged events; signals in between, as they come. */
  event(packet: EventPacket, position: Position | undefined): void
  /** Something may have been missed, and positions held so far must be checked by reading the log (R25). */
  gap(): void
}

export type Unsubscribe = () => Promise<void>

/** Per-user events: a bounded, expiring log, and what is of use only now. */
export interface Bus {
  /**
   * Adds to the user's log and publishes, in one step. `gen` is that of the partition's owner; a lower one than the log has
   * seen is refused as stale (R6). Rejects with `Unavailable` when it is not known whether it was added.
   */
  append(uid: UserId, event: EventPacket, gen: number): Promise<Appended>
  signal(uid: UserId, event: EventPacket): Promise<void>
  /** Resolves when events published from now on will be delivered. */
  subscribe(uid: UserId, listener: BusListener): Promise<Unsubscribe>
  /** What follows `after`, all of it; `lost` if the log no longer reaches back that far or is another one. */
  read(uid: UserId, after: Position): Promise<LogRead>
  top(uid: UserId): Promise<Position>
  /** Takes the user's log away, with all that is in it; a new one begins, and whoever resumes loads again (erasure). Keeps the generation. */
  forget(uid: UserId): Promise<void>
  reply(edge: EdgeId, packet: ReplyPacket): Promise<void>
  /**
   * What is replied to this edge. `gap`: something may have been missed. Who waits for a reply asks again (R9); what nobody waits for,
   * a word that a connection was replaced for one, is to be found out in another way.
   */
  listen(edge: EdgeId, listener: (packet: ReplyPacket) => void, gap?: () => void): Promise<Unsubscribe>
}
