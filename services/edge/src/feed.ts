import { setTimeout as pause } from 'node:timers/promises'
import {
  type AnswerId,
  type AnswersSnapshot,
  type EventPacket,
  encodePosition,
  type Fabric,
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
import { remembered } from './remembered.ts'

/** What a feed needs of a device. */
export interface FeedMember {
  deliver(event: Outgoing): void
  /** Everything up to now is in doubt and could not be made up for: the client must load again (P4). */
  lost(top: Position): void
  /** Deltas may have been missed: the open answers are needed as a whole. */
  repair(): void
}

/** The events of one user on this edge: subscribed once, opened once, handed to each device (R26). */
export interface Feed {
  readonly uid: UserId
  add(member: FeedMember): void
  /** Whether somebody is left. */
  remove(member: FeedMember): boolean
  /** Events after a position, as frames; `lost` if the log can't tell. */
  read(
    after: Position,
  ): Promise<{ kind: 'events'; events: Outgoing[]; top: Position } | { kind: 'lost'; top: Position }>
  /** The open answers as frames, without those that this feed has seen end since (R21). */
  snapshot(): Promise<{ top: Position; frames: Uint8Array[] }>
  close(): Promise<void>
}

/** Ends and fences that are remembered, so that a snapshot that was under way meanwhile is not shown after them. */
const REMEMBERED = 64
/** What may wait while a log is read. What does not fit makes the log be read once more. */
const MAX_PENDING_BYTES = 1_048_576

interface Pending {
  readonly packet: EventPacket
  readonly position: Position | undefined
}

export async function openFeed(uid: UserId, fabric: Pick<Fabric, 'bus' | 'answers'>, log: Logger): Promise<Feed> {
  const { bus } = fabric
  const members = new Set<FeedMember>()
  const ended = remembered<AnswerId, true>(REMEMBERED)
  const fences = remembered<SessionId, { epoch: number; position: Position }>(REMEMBERED)
  const closing = new AbortController()
  /** The last logged event that was handed on. Until the first look at the log, none. */
  let last: Position | undefined
  /** Set while the log is read; what comes meanwhile waits. */
  let reading = true
  /** Something came while the log was read that the reading may not have seen. */
  let again = false
  let pending: Pending[] = []
  let pendingBytes = 0

  function hand(packet: EventPacket, position: Position | undefined): void {
    if (position) {
      last = position
      remember(packet, position)
    }
    const event = toOutgoing(packet, position)
    for (const member of [...members]) member.deliver(event)
  }

  function remember({ header }: EventPacket, position: Position): void {
    const { type, answerId, sid, epoch = 0 } = header
    if (type === 'answer.done' && answerId) ended.set(answerId, true)
    if (sid && epoch > (fences.get(sid)?.epoch ?? 0)) fences.set(sid, { epoch, position })
  }

  function event(packet: EventPacket, position: Position | undefined): void {
    if (closing.signal.aborted) return
    if (reading) keep({ packet, position })
    else if (!handInOrder(packet, position)) recover('a jump in the log')
  }

  /** False for what does not follow: the log has it, and whatever is missing before it, or it is no longer the log. */
  function handInOrder(packet: EventPacket, position: Position | undefined): boolean {
    if (position && last) {
      if (!sameLog(position, last) || position.offset > last.offset + 1) return false
      // A repeated publication of what was handed on already.
      if (position.offset <= last.offset) return true
    }
    hand(packet, position)
    return true
  }

  function keep(event: Pending): void {
    pendingBytes += event.packet.body.byteLength
    if (pendingBytes > MAX_PENDING_BYTES) again = true
    else pending.push(event)
  }

  /** Never a silent gap (R25): the log is read from where we were, or the devices are told to load again. */
  function recover(why: string): void {
    if (closing.signal.aborted) return
    if (reading) {
      again = true
      return
    }
    reading = true
    log.info({ why }, 'reading a log again')
    void readUntilDone()
  }

  /** While the bus is away nothing can be told, so nothing may be passed over either. */
  async function readUntilDone(): Promise<void> {
    for (let tries = 0; !closing.signal.aborted; tries++) {
      try {
        await catchUp(readAgain)
        for (const member of [...members]) member.repair()
        return
      } catch (err) {
        if (closing.signal.aborted) return
        log.warn({ err, tries }, 'a log could not be read again yet')
        await pause(backoff(tries, { base: 100, max: 5_000 }), undefined, { signal: closing.signal }).catch(
          () => undefined,
        )
      }
    }
  }

  /** Reads until what came meanwhile follows without a gap, then goes on live. */
  async function catchUp(read: () => Promise<void>): Promise<void> {
    do {
      again = false
      await read()
      const waiting = pending
      pending = []
      pendingBytes = 0
      // What does not follow came before the next reading begins, which therefore sees it if the log still has it.
      for (const { packet, position } of waiting) if (!handInOrder(packet, position)) again = true
    } while (again && !closing.signal.aborted)
    reading = false
  }

  async function readAgain(): Promise<void> {
    if (!last) throw new Error('a feed goes on from where its opening left it')
    const read = await bus.read(uid, last)
    if (closing.signal.aborted) return
    if (read.kind === 'events') {
      for (const { packet, position } of read.events) hand(packet, position)
    } else {
      last = read.top
      for (const member of [...members]) member.lost(read.top)
    }
  }

  /** Nobody has been told anything yet, so what is in the log by now is for the first device's catch-up to read. */
  async function readTop(): Promise<void> {
    last = await bus.top(uid)
  }

  const unsubscribe = await bus.subscribe(uid, { event, gap: () => recover('the bus reported a gap') })
  try {
    await catchUp(readTop)
  } catch (error) {
    closing.abort()
    await unsubscribe()
    throw error
  }

  /** Whether this feed has passed on a higher epoch since the snapshot was taken. */
  function fencedSince(sid: SessionId, { top, epochs }: AnswersSnapshot): boolean {
    const fence = fences.get(sid)
    if (!fence || fence.epoch <= (epochs.get(sid) ?? 0)) return false
    return !sameLog(fence.position, top) || fence.position.offset > top.offset
  }

  return {
    uid,
    add: (member) => void members.add(member),
    remove(member) {
      members.delete(member)
      return members.size > 0
    },
    async read(after) {
      const read = await bus.read(uid, after)
      if (read.kind === 'lost') return read
      const events = read.events.map(({ packet, position }) => toOutgoing(packet, position))
      return { kind: 'events', top: read.top, events }
    },
    async snapshot() {
      const taken = await fabric.answers.snapshot(uid)
      const open = taken.open.filter(({ ref }) => !ended.get(ref.answerId) && !fencedSince(ref.sid, taken))
      return { top: taken.top, frames: open.map(snapshotFrame) }
    },
    async close() {
      closing.abort()
      await unsubscribe()
    },
  }
}

const toOutgoing = (packet: EventPacket, position: Position | undefined): Outgoing =>
  outgoing(packet, position ? withPosition(packet.body, encodePosition(position)) : packet.body, position)

const snapshotFrame = ({ ref, attempt, next, chunks }: OpenAnswer): Uint8Array =>
  snapshotEvent(ref, attempt, next, textOf(chunks)).body
