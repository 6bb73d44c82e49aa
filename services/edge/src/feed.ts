import { setTimeout as pause } from 'node:timers/promises'
import {
  type AnswerId,
  type AnswersSnapshot,
  type EventPacket,
  encodePosition,
  type Fabric,
  type LogRead,
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
  readonly members: ReadonlySet<FeedMember>
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
/** Events that wait while a log is read. */
const MAX_PENDING = 5_000

export async function openFeed(uid: UserId, fabric: Pick<Fabric, 'bus' | 'answers'>, log: Logger): Promise<Feed> {
  const { bus } = fabric
  const members = new Set<FeedMember>()
  const ended = new Map<AnswerId, number>()
  const epochs = new Map<SessionId, number>()
  /** The last logged event that was handed on. */
  let last: Position | undefined
  /** Set while the log is read, at first to learn where it stands; what comes meanwhile waits. */
  let reading = true
  let pending: { packet: EventPacket; position: Position | undefined }[] = []
  let closed = false

  function hand(packet: EventPacket, position: Position | undefined): void {
    remember(packet)
    if (position) last = position
    const event = toOutgoing(packet, position)
    for (const member of [...members]) member.deliver(event)
  }

  function remember({ header }: EventPacket): void {
    const { type, answerId, sid, epoch, attempt } = header
    if (type === 'answer.done' && answerId) bounded(ended, answerId, attempt ?? 0)
    if (sid && epoch !== undefined && epoch > (epochs.get(sid) ?? 0)) bounded(epochs, sid, epoch)
  }

  function event(packet: EventPacket, position: Position | undefined): void {
    if (closed) return
    if (reading) return keep(packet, position)
    if (!position || !last) return hand(packet, position)
    if (!sameLog(position, last) || position.offset > last.offset + 1) {
      keep(packet, position)
      return recover('a jump in the log')
    }
    // A repeated publication of what was handed on already.
    if (position.offset <= last.offset) return
    hand(packet, position)
  }

  /** Bounded: what is dropped here leaves a jump behind, which is read from the log again. */
  function keep(packet: EventPacket, position: Position | undefined): void {
    if (pending.length < MAX_PENDING) pending.push({ packet, position })
  }

  /** Never a silent gap (R25): the log is read from where we were, or the devices are told to load again. */
  function recover(why: string): void {
    if (closed || reading) return
    reading = true
    log.info({ why }, 'reading a log again')
    void readUntilDone().then(goOn)
  }

  /** While the bus is away nothing can be told, so nothing may be passed over either. */
  async function readUntilDone(): Promise<void> {
    for (let tries = 0; !closed; tries++) {
      try {
        return await readAgain()
      } catch (err) {
        log.warn({ err, tries }, 'a log could not be read again yet')
        await pause(backoff(tries, { base: 100, max: 5_000 }))
      }
    }
  }

  function goOn(): void {
    reading = false
    const waiting = pending
    pending = []
    for (const { packet, position } of waiting) event(packet, position)
  }

  async function readAgain(): Promise<void> {
    const read: LogRead = last ? await bus.read(uid, last) : { kind: 'lost', top: await bus.top(uid) }
    if (read.kind === 'events') {
      for (const { packet, position } of read.events) hand(packet, position)
    } else {
      last = read.top
      for (const member of [...members]) member.lost(read.top)
    }
    for (const member of [...members]) member.repair()
  }

  const unsubscribe = await bus.subscribe(uid, { event, gap: () => recover('the bus reported a gap') })
  try {
    // Nobody has been told anything yet, so what is in the log by now is for the first catch-up to read.
    last = await bus.top(uid)
  } catch (error) {
    await unsubscribe()
    throw error
  }
  goOn()

  return {
    uid,
    members,
    add: (member) => void members.add(member),
    remove(member) {
      members.delete(member)
      return members.size > 0
    },
    async read(after) {
      const read = await bus.read(uid, after)
      if (read.kind === 'lost') return read
      return {
        kind: 'events',
        top: read.top,
        events: read.events.map(({ packet, position }) => toOutgoing(packet, position)),
      }
    },
    async snapshot() {
      const taken = await fabric.answers.snapshot(uid)
      return { top: taken.top, frames: snapshotFrames(taken) }
    },
    async close() {
      closed = true
      await unsubscribe()
    },
  }

  function snapshotFrames({ open, epochs: fenced }: AnswersSnapshot): Uint8Array[] {
    return open
      .filter(({ ref, attempt }) => {
        if (attempt <= (ended.get(ref.answerId) ?? -1)) return false
        return (fenced.get(ref.sid) ?? 0) >= (epochs.get(ref.sid) ?? 0)
      })
      .map(({ ref, attempt, next, chunks }) => snapshotEvent(ref, attempt, next, textOf(chunks)).body)
  }
}

const toOutgoing = (packet: EventPacket, position: Position | undefined): Outgoing =>
  outgoing(packet, position ? withPosition(packet.body, encodePosition(position)) : packet.body, position)

function bounded<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= REMEMBERED) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
