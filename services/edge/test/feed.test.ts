import {
  type AnswersSnapshot,
  answerId,
  type BusListener,
  deltaEvent,
  type EventHeader,
  type EventPacket,
  type Fabric,
  type LogRead,
  type OpenAnswer,
  type Position,
  sessionId,
  userId,
} from '@chatbox/core'
import { encodeFrame } from '@chatbox/protocol'
import { createLogger } from '@chatbox/runtime'
import { describe, expect, it } from 'vitest'
import { type FeedMember, openFeed } from '../src/feed.ts'
import { feeds as createFeeds } from '../src/feeds.ts'
import { until } from './support/open-edge.ts'

const uid = userId('ada')
const sid = sessionId('s-1')
const log = createLogger({ service: 'edge', level: 'fatal', destination: { write: () => undefined } })

/** A bus of one user, whose answers and deliveries a test decides on. */
function scriptedBus() {
  let listener: BusListener | undefined
  let epoch = 'log-1'
  let events: EventPacket[] = []
  const reads: { answer(): void; fail(): void }[] = []
  let held = false
  let asked = 0
  let snapshot: AnswersSnapshot | undefined

  const at = (offset: number, log = epoch): Position => ({ log, run: 'run', offset })
  const packet = (n: number, more: Partial<EventHeader> = {}): EventPacket => ({
    header: { class: 'logged', type: 'message', sid, ...more },
    body: encodeFrame({ type: 'typing', sid: `${n}`, author: 'user', active: true }),
  })

  /** As the store answers at the moment in which it is asked. */
  function read(after: Position): LogRead {
    const top = at(events.length)
    if (after.log !== epoch || after.offset > events.length) return { kind: 'lost', top }
    return {
      kind: 'events',
      top,
      events: events.slice(after.offset).map((each, i) => ({ packet: each, position: at(after.offset + i + 1) })),
    }
  }

  /** Answered at once, or when the test says so, with what there was when it was asked. */
  function answered<T>(value: () => T): Promise<T> {
    asked += 1
    if (!held) return Promise.resolve(value())
    const now = value()
    return new Promise((resolve, reject) =>
      reads.push({ answer: () => resolve(now), fail: () => reject(new Error('the bus is away')) }),
    )
  }

  const fabric = {
    bus: {
      subscribe: async (_uid: unknown, listening: BusListener) => {
        listener = listening
        return async () => {
          listener = undefined
        }
      },
      read: (_uid: unknown, after: Position) => answered(() => read(after)),
    },
    answers: { snapshot: () => answered(() => snapshot ?? { top: at(events.length), epochs: new Map(), open: [] }) },
  } as unknown as Pick<Fabric, 'bus' | 'answers'>

  return {
    fabric,
    at,
    packet,
    reads,
    /** How often the store was asked. */
    get asked() {
      return asked
    },
    get subscribed() {
      return listener !== undefined
    },
    hold(on: boolean) {
      held = on
    },
    /** Adds to the log; the subscriber hears of it unless the link is down. */
    append(count = 1, { heard = true, ...header }: { heard?: boolean } & Partial<EventHeader> = {}) {
      for (let i = 0; i < count; i++) {
        const event = packet(events.length + 1, header)
        events.push(event)
        if (heard) listener?.event(event, at(events.length))
      }
    },
    /** Something that was on its way for a while. */
    deliver: (event: EventPacket, position: Position | undefined) => listener?.event(event, position),
    gap: () => listener?.gap(),
    lose(name: string) {
      epoch = name
      events = []
    },
    snapshotIs(taken: AnswersSnapshot) {
      snapshot = taken
    },
  }
}

type Scripted = ReturnType<typeof scriptedBus>

async function joined(bus: Scripted) {
  const feed = await openFeed(uid, bus.fabric, log)
  const heard: string[] = []
  const member: FeedMember = {
    deliver: ({ frame, position }) => {
      const { sid: n } = JSON.parse(Buffer.from(frame).toString()) as { sid: string }
      heard.push(position ? `${position.offset}` : `signal ${n}`)
    },
    lost: (top) => heard.push(`lost ${top.log}.${top.offset}`),
    repair: () => heard.push('repair'),
  }
  feed.add(member)
  // As each device does when it comes.
  await feed.snapshot()
  return { feed, heard, member }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('the events of a user on an edge (R25)', () => {
  it('are handed on in order', async () => {
    const bus = scriptedBus()
    const { heard } = await joined(bus)
    bus.append(3)
    expect(heard).toEqual(['1', '2', '3'])
  })

  it('are handed on once, however often they are published', async () => {
    const bus = scriptedBus()
    const { heard } = await joined(bus)
    bus.append(2)
    bus.deliver(bus.packet(1), bus.at(1))
    bus.deliver(bus.packet(2), bus.at(2))
    bus.append()
    expect(heard).toEqual(['1', '2', '3'])
  })

  it('are read from the log where one jumps, and what comes meanwhile follows', async () => {
    const bus = scriptedBus()
    const { heard } = await joined(bus)
    bus.append(1)
    bus.append(2, { heard: false })
    bus.hold(true)
    bus.append(1)
    bus.append(2)
    bus.deliver(bus.packet(99), undefined)
    expect(heard).toEqual(['1'])
    expect(bus.reads).toHaveLength(1)
    bus.hold(false)
    bus.reads[0]?.answer()
    await settled()
    expect(heard).toEqual(['1', '2', '3', '4', '5', '6', 'signal 99', 'repair'])
    bus.append()
    expect(heard.at(-1)).toBe('7')
  })

  it('are read once more when the link was cut while they were read', async () => {
    const bus = scriptedBus()
    const { heard } = await joined(bus)
    bus.append(1)
    bus.hold(true)
    bus.gap()
    bus.append(2, { heard: false })
    bus.gap()
    bus.hold(false)
    bus.reads[0]?.answer()
    await settled()
    expect(heard).toEqual(['1', '2', '3', 'repair'])
  })

  it('end in a word that they are lost where the log is another one, once, and go on from there', async () => {
    const bus = scriptedBus()
    const { heard } = await joined(bus)
    bus.append(3)
    bus.lose('log-2')
    bus.append(2)
    await settled()
    expect(heard).toEqual(['1', '2', '3', 'lost log-2.1', '2', 'repair'])
    bus.append()
    expect(heard.at(-1)).toBe('3')
  })

  it('do not go in circles over an event of a log that is no more', async () => {
    const bus = scriptedBus()
    const { heard } = await joined(bus)
    bus.append(1)
    bus.lose('log-2')
    bus.hold(true)
    bus.gap()
    bus.deliver(bus.packet(2), bus.at(2, 'log-1'))
    bus.hold(false)
    bus.reads[0]?.answer()
    await settled()
    bus.append()
    await settled()
    expect(heard).toEqual(['1', 'lost log-2.0', 'repair', '1'])
  })

  it('are not passed over while the bus is away', async () => {
    const bus = scriptedBus()
    const { heard } = await joined(bus)
    bus.append(1)
    bus.hold(true)
    bus.gap()
    bus.append(1)
    bus.reads[0]?.fail()
    await until(() => bus.reads.length === 2, 'it asks again')
    bus.append(1)
    expect(heard).toEqual(['1'])
    bus.hold(false)
    bus.reads[1]?.answer()
    await settled()
    expect(heard).toEqual(['1', '2', '3', 'repair'])
  })

  it('show nothing of an answer after its end, which came earlier than the log told of it', async () => {
    const bus = scriptedBus()
    const { heard } = await joined(bus)
    const [a, b] = [answerId('a-1'), answerId('a-2')]
    const delta = (n: number, of = a) =>
      bus.packet(n, { class: 'delta', type: 'answer.delta', answerId: of, attempt: 1 })
    bus.append(1)
    bus.append(1, { heard: false, type: 'answer.done', answerId: a, attempt: 1 })
    bus.hold(true)
    bus.gap()
    for (const packet of [delta(10), delta(11, b), bus.packet(12, { class: 'signal', type: 'typing' })]) {
      bus.deliver(packet, undefined)
    }
    bus.hold(false)
    bus.reads[0]?.answer()
    await settled()
    expect(heard).toEqual(['1', '2', 'signal 11', 'signal 12', 'repair'])
  })

  it('show nothing of a session that came before a fence, and what came after it (R20)', async () => {
    const bus = scriptedBus()
    const { heard } = await joined(bus)
    const delta = (n: number, attempt = 1) =>
      bus.packet(n, { class: 'delta', type: 'answer.delta', answerId: answerId('a-1'), attempt })
    bus.append(1)
    bus.append(1, { heard: false, type: 'session.updated', epoch: 1 })
    bus.hold(true)
    bus.gap()
    bus.deliver(delta(10), undefined)
    bus.deliver(bus.packet(2, { type: 'session.updated', epoch: 1 }), bus.at(2))
    bus.deliver(delta(11, 2), undefined)
    bus.hold(false)
    bus.reads[0]?.answer()
    await settled()
    expect(heard).toEqual(['1', '2', 'signal 11', 'repair'])
    bus.deliver(delta(12, 2), undefined)
    expect(heard.at(-1)).toBe('signal 12')
  })

  it('are read once more when more came meanwhile than may wait', async () => {
    const bus = scriptedBus()
    const { heard } = await joined(bus)
    bus.hold(true)
    bus.gap()
    const body = Buffer.from('{"sid":"big"}'.padEnd(1_048_576))
    bus.deliver({ header: { class: 'delta', type: 'answer.delta' }, body }, undefined)
    bus.append(2)
    bus.hold(false)
    bus.reads[0]?.answer()
    await settled()
    expect(heard).toEqual(['signal big', '1', '2', 'repair'])
  })

  it('are not asked for any more once nobody is left', async () => {
    const bus = scriptedBus()
    const { feed, heard, member } = await joined(bus)
    bus.hold(true)
    bus.gap()
    expect(feed.remove(member)).toBe(false)
    await feed.close()
    bus.reads[0]?.fail()
    await settled()
    expect(bus.reads).toHaveLength(1)
    expect(bus.subscribed).toBe(false)
    expect(heard).toEqual([])
  })

  it('begin after what was in the log when the first device came, even if the link was cut then', async () => {
    const bus = scriptedBus()
    bus.append(2)
    bus.hold(true)
    const opening = joined(bus)
    await until(() => bus.reads.length === 1, 'it asks for the top')
    bus.lose('log-2')
    bus.gap()
    bus.hold(false)
    bus.reads[0]?.answer()
    const { heard } = await opening
    bus.append()
    expect(heard).toEqual(['1'])
  })

  it('cannot be had when the log cannot be asked, and nobody stays subscribed', async () => {
    const bus = scriptedBus()
    bus.hold(true)
    const opening = openFeed(uid, bus.fabric, log)
    await until(() => bus.reads.length === 1, 'it asks for the top')
    bus.reads[0]?.fail()
    await expect(opening).rejects.toThrow('the bus is away')
    expect(bus.subscribed).toBe(false)
  })
})

describe('the first look at a log', () => {
  const nobody: FeedMember = { deliver: () => undefined, lost: () => undefined, repair: () => undefined }

  it('is the snapshot that the first device asks for; the next one asks for its own', async () => {
    const bus = scriptedBus()
    bus.append(2)
    const feed = await openFeed(uid, bus.fabric, log)
    feed.add(nobody)
    expect((await feed.snapshot()).top).toEqual(bus.at(2))
    expect(bus.asked).toBe(1)
    await feed.snapshot()
    expect(bus.asked).toBe(2)
  })

  it('is the reading of the log that the first device asks for, where it has a place in it', async () => {
    const bus = scriptedBus()
    bus.append(2)
    const after = bus.at(1)
    const feed = await openFeed(uid, bus.fabric, log, undefined, after)
    feed.add(nobody)
    expect(await feed.read(after)).toMatchObject({ kind: 'events', top: bus.at(2), events: [{ position: bus.at(2) }] })
    expect(bus.asked).toBe(1)
    await feed.read(bus.at(0))
    expect(bus.asked).toBe(2)
  })

  it.each([
    ['an event', (bus: Scripted) => bus.append()],
    ['a delta', (bus: Scripted) => bus.deliver(bus.packet(9, { class: 'delta', type: 'answer.delta' }), undefined)],
    ['a gap', (bus: Scripted) => bus.gap()],
  ])('is no longer all that there is after %s that nobody was there to take', async (_, happens) => {
    const bus = scriptedBus()
    const feed = await openFeed(uid, bus.fabric, log)
    happens(bus)
    await settled()
    const before = bus.asked
    feed.add(nobody)
    await feed.snapshot()
    expect(bus.asked).toBe(before + 1)
  })
})

describe('a snapshot (R21)', () => {
  const a = answerId('a-1')
  const open: OpenAnswer = {
    ref: { uid, sid, answerId: a, seq: 2 },
    attempt: 1,
    next: 1,
    chunks: [deltaEvent({ uid, sid, answerId: a, seq: 2 }, 1, 0, 'text')],
  }
  const snapshot = (top: Position, epoch?: number): AnswersSnapshot => ({
    top,
    epochs: new Map(epoch === undefined ? [] : [[sid, epoch]]),
    open: [open],
  })

  it('has the text of the open answers', async () => {
    const bus = scriptedBus()
    const { feed } = await joined(bus)
    bus.snapshotIs(snapshot(bus.at(0)))
    const { frames } = await feed.snapshot()
    expect(frames.map((frame) => JSON.parse(Buffer.from(frame).toString()))).toEqual([
      { type: 'answer.snapshot', sid, seq: 2, answerId: a, attempt: 1, next: 1, text: 'text' },
    ])
  })

  it('does not bring back an answer whose end was passed on already', async () => {
    const bus = scriptedBus()
    const { feed } = await joined(bus)
    const taken = snapshot(bus.at(0))
    bus.append(1, { type: 'answer.done', answerId: a, attempt: 1 })
    bus.snapshotIs(taken)
    expect((await feed.snapshot()).frames).toEqual([])
  })

  it('does not bring back what a takeover closed after it was taken', async () => {
    const bus = scriptedBus()
    const { feed } = await joined(bus)
    const taken = snapshot(bus.at(0))
    bus.append(1, { type: 'session.updated', epoch: 1 })
    bus.snapshotIs(taken)
    expect((await feed.snapshot()).frames).toEqual([])
  })

  it('shows what began after the takeover, also when the store has forgotten about that', async () => {
    const bus = scriptedBus()
    const { feed } = await joined(bus)
    bus.append(1, { type: 'session.updated', epoch: 1 })
    bus.snapshotIs(snapshot(bus.at(1), 1))
    expect((await feed.snapshot()).frames).toHaveLength(1)
    bus.snapshotIs(snapshot(bus.at(1)))
    expect((await feed.snapshot()).frames).toHaveLength(1)
  })
})

describe('the feeds of an edge', () => {
  const nobody = (): FeedMember => ({ deliver: () => undefined, lost: () => undefined, repair: () => undefined })

  it('are one per user, and end with the last device', async () => {
    const bus = scriptedBus()
    const feeds = createFeeds(bus.fabric, log)
    const [a, b] = [nobody(), nobody()]
    const [first, second] = await Promise.all([feeds.join(uid, a), feeds.join(uid, b)])
    expect(first).toBe(second)
    feeds.leave(first, a)
    expect(feeds.size).toBe(1)
    feeds.leave(second, b)
    expect(feeds.size).toBe(0)
    await settled()
    expect(bus.subscribed).toBe(false)
  })

  it('are opened anew for who joins while the last one leaves', async () => {
    const bus = scriptedBus()
    const feeds = createFeeds(bus.fabric, log)
    const [a, b] = [nobody(), nobody()]
    bus.hold(true)
    const joining = [feeds.join(uid, a).then((feed) => feeds.leave(feed, a)), feeds.join(uid, b)] as const
    await until(() => bus.reads.length === 1, 'it opens')
    bus.hold(false)
    bus.reads[0]?.answer()
    await joining[0]
    const feed = await joining[1]
    expect(feeds.size).toBe(1)
    feeds.leave(feed, b)
    expect(feeds.size).toBe(0)
  })

  it('can be had again after one could not be opened', async () => {
    const bus = scriptedBus()
    const feeds = createFeeds(bus.fabric, log)
    bus.hold(true)
    const both = [feeds.join(uid, nobody()), feeds.join(uid, nobody())].map((joining) =>
      joining.then(
        () => 'joined',
        () => 'failed',
      ),
    )
    await until(() => bus.reads.length === 1, 'it opens')
    bus.reads[0]?.fail()
    expect(await Promise.all(both)).toEqual(['failed', 'failed'])
    expect(feeds.size).toBe(0)
    bus.hold(false)
    await feeds.join(uid, nobody())
    expect(feeds.size).toBe(1)
  })

  it('end with the edge, those that are being opened as well', async () => {
    const bus = scriptedBus()
    const feeds = createFeeds(bus.fabric, log)
    bus.hold(true)
    const joining = feeds.join(uid, nobody()).catch((error: Error) => error.message)
    await until(() => bus.reads.length === 1, 'it opens')
    const closing = feeds.close()
    bus.reads[0]?.answer()
    await closing
    expect(await joining).toContain('going away')
    expect(bus.subscribed).toBe(false)
    expect(feeds.size).toBe(0)
  })
})
