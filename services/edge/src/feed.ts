import { setTimeout as pause } from 'node:timers/promises'
import {
  type AnswerId,
  type AnswersSnapshot,
  type EventPacket,
  encodePosition,
  type Fabric,
  type LogRead,
  type OpenAnswer,
  type Position,
  type SessionId,
  sameLog,
  snapshotEvent,
  textOf,
  type UserId,
} from '@chatbox/core'
import { withPosition } from '@chatbox/protocol'
import { backoff, type Logger } from '@chatbox/runtime'
import { type Outgoing, outgoing } from './outbox.ts'
import { type Remembered, remembered } from './remembered.ts'
import { type Turns, turns } from './turns.ts'

/** What a feed needs of a device. */
export interface FeedMember {
  deliver(event: Outgoing): void
  /** Everything up to now is in doubt and could not be made up for: the client must load again (P4). */
  lost(top: Position): void
  /** Deltas may have been missed: the open answers are needed as a whole. */
  repair(): void
}

/** What all feeds of an edge share. */
export interface Recovering {
  /** A gap of the bus is one of all users at once, so their logs are read a few at a time. */
  readonly recoveries: Turns
  onGap(): void
}

/** Ends and fences that are remembered, so that a snapshot that was under way meanwhile is not shown after them. */
const REMEMBERED = 64
/** What may wait while a log is read. What does not fit makes the log be read once more. */
const MAX_PENDING_BYTES = 1_048_576

/** What ended in the part of the log that is being read: nothing of it that waits may be shown after its end. */
interface Over {
  readonly answers: Set<AnswerId>
  readonly sessions: Set<SessionId>
}

interface Pending {
  readonly packet: EventPacket
  readonly position: Position | undefined
}

/** What the store was asked first. It says where the log is, and is just what the device asks for that the feed was opened for. */
type FirstLook =
  | { readonly kind: 'read'; readonly after: Position; readonly read: LogRead }
  | { readonly kind: 'snapshot'; readonly snapshot: AnswersSnapshot }

export type { Feed }

/** Subscribed, and knows where the log is: from here on nothing is missed. `after`: where the device was that it is opened for. */
export async function openFeed(
  uid: UserId,
  fabric: Pick<Fabric, 'bus' | 'answers'>,
  log: Logger,
  shared: Recovering = { recoveries: turns(1), onGap: () => undefined },
  after?: Position,
): Promise<Feed> {
  const feed = new Feed(uid, fabric, log, shared)
  await feed.open(after)
  return feed
}

/**
 * The events of one user on this edge: subscribed once, opened once, handed to each device (R26). A class, because every user here
 * has one; most of the time nothing happens in it.
 */
class Feed {
  readonly uid: UserId
  readonly #fabric: Pick<Fabric, 'bus' | 'answers'>
  readonly #log: Logger
  readonly #shared: Recovering
  /** Never changed, so that whoever joins or leaves meanwhile does not disturb a round. */
  #members: readonly FeedMember[] = []
  #ended: Remembered<AnswerId, true> | undefined
  #fences: Remembered<SessionId, { epoch: number; position: Position }> | undefined
  /** The last logged event that was handed on. Until the first look at the log, none. */
  #last: Position | undefined
  /** Until somebody has used it, or something was handed on that it can't know of. */
  #first: FirstLook | undefined
  /** Set while the log is read; what comes meanwhile waits. */
  #reading = true
  /** Something came while the log was read that the reading may not have seen. */
  #again = false
  #pending: Pending[] | undefined
  #over: Over | undefined
  #pendingBytes = 0
  #closed = false
  /** Set while it waits for the bus to come back. */
  #pausing: AbortController | undefined
  #unsubscribe: (() => Promise<void>) | undefined

  constructor(uid: UserId, fabric: Pick<Fabric, 'bus' | 'answers'>, log: Logger, shared: Recovering) {
    this.uid = uid
    this.#fabric = fabric
    this.#log = log
    this.#shared = shared
  }

  async open(after?: Position): Promise<void> {
    this.#unsubscribe = await this.#fabric.bus.subscribe(this.uid, {
      event: (packet, position) => this.#event(packet, position),
      gap: () => this.#recover('the bus reported a gap'),
    })
    try {
      // Nobody has been told anything yet, so what is in the log by now is for the first device's catch-up to read.
      await this.#catchUp(() => this.#lookFirst(after))
    } catch (error) {
      await this.close()
      throw error
    }
  }

  add(member: FeedMember): void {
    this.#members = this.#members.concat(member)
  }

  /** Whether somebody is left. */
  remove(member: FeedMember): boolean {
    this.#members = this.#members.filter((other) => other !== member)
    this.#first = undefined
    return this.#members.length > 0
  }

  /** Events after a position, as frames; `lost` if the log can't tell. */
  async read(
    after: Position,
  ): Promise<{ kind: 'events'; events: Outgoing[]; top: Position } | { kind: 'lost'; top: Position }> {
    const first = this.#takeFirst()
    const known = first?.kind === 'read' && first.after === after
    const read = known ? first.read : await this.#fabric.bus.read(this.uid, after)
    if (read.kind === 'lost') return read
    const events = read.events.map(({ packet, position }) => toOutgoing(packet, position))
    return { kind: 'events', top: read.top, events }
  }

  /** The open answers as frames, without those that this feed has seen end since (R21). */
  async snapshot(): Promise<{ top: Position; frames: Uint8Array[] }> {
    const first = this.#takeFirst()
    const taken = first?.kind === 'snapshot' ? first.snapshot : await this.#fabric.answers.snapshot(this.uid)
    const open = taken.open.filter(({ ref }) => !this.#ended?.get(ref.answerId) && !this.#fencedSince(ref.sid, taken))
    return { top: taken.top, frames: open.map(snapshotFrame) }
  }

  /** For a device that is repaired, which can wait; those who come in do not. */
  snapshotInTurn(): Promise<{ top: Position; frames: Uint8Array[] }> {
    return this.#shared.recoveries.take(() => this.snapshot())
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#pausing?.abort()
    await this.#unsubscribe?.()
  }

  #event(packet: EventPacket, position: Position | undefined): void {
    if (this.#closed) return
    if (this.#reading) this.#keep({ packet, position })
    else if (!this.#handInOrder(packet, position)) this.#recover('a jump in the log')
  }

  async #lookFirst(after: Position | undefined): Promise<void> {
    const { bus, answers } = this.#fabric
    this.#first = after
      ? { kind: 'read', after, read: await bus.read(this.uid, after) }
      : { kind: 'snapshot', snapshot: await answers.snapshot(this.uid) }
    this.#last = this.#first.kind === 'read' ? this.#first.read.top : this.#first.snapshot.top
  }

  #takeFirst(): FirstLook | undefined {
    const first = this.#first
    this.#first = undefined
    return first
  }

  #hand(packet: EventPacket, position: Position | undefined): void {
    // Nobody may have been there to take it, so the first look is no longer all that there is.
    this.#first = undefined
    if (position) {
      this.#last = position
      this.#remember(packet, position)
    }
    const event = toOutgoing(packet, position)
    for (const member of this.#members) member.deliver(event)
  }

  #remember({ header }: EventPacket, position: Position): void {
    const { type, answerId, sid, epoch = 0 } = header
    if (type === 'answer.done' && answerId) {
      this.#ended ??= remembered(REMEMBERED)
      this.#ended.set(answerId, true)
      this.#over?.answers.add(answerId)
    }
    if (sid && epoch > (this.#fences?.get(sid)?.epoch ?? 0)) {
      this.#fences ??= remembered(REMEMBERED)
      this.#fences.set(sid, { epoch, position })
      this.#over?.sessions.add(sid)
    }
  }

  /** False for what does not follow: the log has it, and whatever is missing before it, or it is no longer the log. */
  #handInOrder(packet: EventPacket, position: Position | undefined): boolean {
    const last = this.#last
    if (position && last) {
      if (!sameLog(position, last) || position.offset > last.offset + 1) return false
      // A repeated publication of what was handed on already.
      if (position.offset <= last.offset) return true
    }
    this.#hand(packet, position)
    return true
  }

  #keep(event: Pending): void {
    this.#pendingBytes += event.packet.body.byteLength
    if (this.#pendingBytes > MAX_PENDING_BYTES) {
      this.#again = true
      return
    }
    this.#pending ??= []
    this.#pending.push(event)
  }

  /** Never a silent gap (R25): the log is read from where we were, or the devices are told to load again. */
  #recover(why: string): void {
    if (this.#closed) return
    if (this.#reading) {
      this.#again = true
      return
    }
    this.#reading = true
    this.#first = undefined
    this.#shared.onGap()
    this.#log.info({ why }, 'reading a log again')
    void this.#readUntilDone()
  }

  /** While the bus is away nothing can be told, so nothing may be passed over either. */
  async #readUntilDone(): Promise<void> {
    for (let tries = 0; !this.#closed; tries++) {
      try {
        await this.#shared.recoveries.take(() => this.#catchUp(() => this.#readAgain()))
        for (const member of this.#members) member.repair()
        return
      } catch (err) {
        if (this.#closed) return
        this.#log.warn({ err, tries }, 'a log could not be read again yet')
        this.#pausing = new AbortController()
        const { signal } = this.#pausing
        await pause(backoff(tries, { base: 100, max: 5_000 }), undefined, { signal }).catch(() => undefined)
      }
    }
  }

  /** Reads until what came meanwhile follows without a gap, then goes on live. */
  async #catchUp(read: () => Promise<void>): Promise<void> {
    do {
      // It may have ended while it waited for its turn.
      if (this.#closed) return
      this.#again = false
      this.#over = { answers: new Set(), sessions: new Set() }
      await read()
      const waiting = this.#pending ?? []
      this.#pending = undefined
      this.#pendingBytes = 0
      // What does not follow came before the next reading begins, which therefore sees it if the log still has it.
      for (const { packet, position } of waiting) if (!this.#handWaiting(packet, position)) this.#again = true
    } while (this.#again && !this.#closed)
    this.#over = undefined
    this.#reading = false
  }

  /** It may have come before an end or a fence that the log has told of since (R20, R21); a snapshot follows. */
  #handWaiting(packet: EventPacket, position: Position | undefined): boolean {
    const { sid, answerId, epoch } = packet.header
    if (!position && answerId && this.#over?.answers.has(answerId)) return true
    if (!position && answerId && sid && this.#over?.sessions.has(sid)) return true
    const handed = this.#handInOrder(packet, position)
    // Here is the fence in what waits: what comes behind it came after it.
    if (position && sid && epoch !== undefined) this.#over?.sessions.delete(sid)
    return handed
  }

  async #readAgain(): Promise<void> {
    if (!this.#last) throw new Error('a feed goes on from where its opening left it')
    const read = await this.#fabric.bus.read(this.uid, this.#last)
    if (this.#closed) return
    if (read.kind === 'events') {
      for (const { packet, position } of read.events) this.#hand(packet, position)
    } else {
      this.#last = read.top
      for (const member of this.#members) member.lost(read.top)
    }
  }

  /** Whether this feed has passed on a higher epoch since the snapshot was taken. */
  #fencedSince(sid: SessionId, { top, epochs }: AnswersSnapshot): boolean {
    const fence = this.#fences?.get(sid)
    if (!fence || fence.epoch <= (epochs.get(sid) ?? 0)) return false
    return !sameLog(fence.position, top) || fence.position.offset > top.offset
  }
}

const toOutgoing = (packet: EventPacket, position: Position | undefined): Outgoing =>
  outgoing(packet, position ? withPosition(packet.body, encodePosition(position)) : packet.body, position)

const snapshotFrame = ({ ref, attempt, next, chunks }: OpenAnswer): Uint8Array =>
  snapshotEvent(ref, attempt, next, textOf(chunks)).body
