import { randomBytes } from 'node:crypto'
import {
  type Bus,
  type EventHeader,
  type LoggedEvent,
  type LogRead,
  type Packet,
  type Position,
  type ReplyHeader,
  Unavailable,
  type UserId,
} from '@chatbox/core'
import { bytesOf, listOf, numberOf, type Reply, textOf } from '../connection/script.ts'
import type { Store } from '../connection/store.ts'
import type { Keys } from '../keys.ts'
import type { RedisBounds, RedisClocks } from '../options.ts'
import { packetBytes, packetOf } from '../packets.ts'
import { compareLogs } from './compare.ts'
import { heard } from './heard.ts'
import { appendEvent, forgetLog, readLog, touchLog } from './scripts.ts'
import { type Subscription, subscription } from './subscription.ts'

export interface BusDeps {
  readonly store: Store
  readonly keys: Keys
  readonly clocks: Pick<RedisClocks, 'idleMs' | 'compareMs'>
  readonly bounds: Pick<RedisBounds, 'logEvents'>
  readonly onError: (error: unknown) => void
}

export interface RedisBus extends Bus {
  /** Users who are subscribed here. */
  readonly subscriptions: number
  close(): void
}

/** A read brings this many events at a time, so that no reply grows beyond bounds. */
const PAGE = 100
const NO_ID = ''
const NO_POSITION = Buffer.from('\n')

export const freshLogId = (): string => randomBytes(9).toString('base64url')

export function createBus({ store, keys, clocks, bounds, onError }: BusDeps): RedisBus {
  const subscriptions = new Set<Subscription>()
  const comparing = compareLogs({ store, keys, clocks, subscriptions, onError })

  const positionOf = (id: Reply | undefined, run: string, offset: Reply | undefined): Position => ({
    log: textOf(id),
    run,
    offset: numberOf(offset),
  })

  /** In no script: while a slot moves, a script is sent to where the channel will be, and nobody hears it there yet. */
  async function publish(channel: string, packet: Packet): Promise<void> {
    await store.command(channel, 'SPUBLISH', channel, Buffer.concat([NO_POSITION, packetBytes(packet)]))
  }

  async function page(uid: UserId, after: Position): Promise<LogRead> {
    const { meta, log: events } = keys.ofUser(uid)
    // Positions of another life of the server say nothing about this one.
    const { reply, run } = await store.callIn(readLog, [meta, events], (now) => {
      return [freshLogId(), clocks.idleMs, after.run === now ? after.log : NO_ID, after.offset, PAGE]
    })
    const [kind, id, offset, packets] = listOf(reply)
    const top = positionOf(id, run, offset)
    if (textOf(kind) === 'lost') return { kind: 'lost', top }
    const read = listOf(packets).map((bytes, i): LoggedEvent => {
      return { packet: packetOf<EventHeader>(bytesOf(bytes)), position: { ...top, offset: after.offset + i + 1 } }
    })
    return { kind: 'events', events: read, top }
  }

  return {
    async append(uid, event, gen) {
      const { meta, log, channel } = keys.ofUser(uid)
      const { reply, run } = await store.callIn(appendEvent, [meta, log, channel], (now) => {
        return [packetBytes(event), gen, freshLogId(), now, bounds.logEvents, clocks.idleMs]
      })
      const [kind, id, offset] = listOf(reply)
      if (textOf(kind) === 'stale') return { kind: 'stale' }
      return { kind: 'appended', position: positionOf(id, run, offset) }
    },
    async signal(uid, event) {
      await publish(keys.ofUser(uid).channel, event)
    },
    async subscribe(uid, listener) {
      // Named once: each event asks for it.
      const { channel } = keys.ofUser(uid)
      const own = subscription(uid, listener, () => store.heardRunAt(channel), onError)
      const leave = await store.subscribe(channel, own)
      subscriptions.add(own)
      let left = false
      return async () => {
        if (left) return
        left = true
        subscriptions.delete(own)
        own.end()
        leave()
      }
    },
    async read(uid, after): Promise<LogRead> {
      const first = await page(uid, after)
      if (first.kind === 'lost') return first
      const events = [...first.events]
      while (after.offset + events.length < first.top.offset) {
        const next = await page(uid, { ...after, offset: after.offset + events.length })
        // It was cut, or has begun anew, while it was read.
        if (next.kind === 'lost') return { kind: 'lost', top: next.top }
        if (next.events.length === 0) throw new Unavailable('a log ended before its top')
        events.push(...next.events)
      }
      return { kind: 'events', events: events.slice(0, first.top.offset - after.offset), top: first.top }
    },
    async top(uid) {
      const { meta, log } = keys.ofUser(uid)
      const { reply, run } = await store.callIn(touchLog, [meta, log], () => [freshLogId(), clocks.idleMs])
      const [id, offset] = listOf(reply)
      return positionOf(id, run, offset)
    },
    async forget(uid) {
      const { meta, log, channel } = keys.ofUser(uid)
      await store.call(forgetLog, [meta, log, channel], [freshLogId(), clocks.idleMs])
    },
    async reply(edge, packet) {
      await publish(keys.edge(edge), packet)
    },
    async listen(edge, listener, gap = () => undefined) {
      const leave = await store.subscribe(keys.edge(edge), {
        message: (payload) => {
          try {
            listener(packetOf<ReplyHeader>(heard(payload).packet))
          } catch (error) {
            onError(error)
            gap()
          }
        },
        gap,
      })
      return async () => leave()
    },
    get subscriptions() {
      return subscriptions.size
    },
    close: () => comparing.close(),
  }
}
