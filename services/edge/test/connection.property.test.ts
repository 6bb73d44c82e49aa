import {
  answerId,
  DEFAULT_PARTITIONS,
  deltaEvent,
  edgeId,
  type Fabric,
  modelList,
  Refusal,
  type ReplyPacket,
  requestId,
  sessionId,
  userId,
} from '@chatbox/core'
import { memoryFabric } from '@chatbox/memory'
import { type CloseReason, clientDecoder, closeCodes, defaultLimits, encodeFrame } from '@chatbox/protocol'
import { createLogger, createMetrics, type Identity } from '@chatbox/runtime'
import { parseServerFrame } from '@chatbox/testkit/wire'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Connection, connect, type Surroundings } from '../src/connection.ts'
import { contextOf } from '../src/deps.ts'
import { feeds as createFeeds } from '../src/feeds.ts'
import { leave } from '../src/handlers/hello.ts'
import { edgeMetrics } from '../src/index.ts'
import { createLeftovers } from '../src/leftovers.ts'
import { createOffenders } from '../src/offenders.ts'
import type { Socket } from '../src/socket.ts'
import { storage } from './support/storage.ts'
import { tamperWith } from './support/tamper.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets everything that waits for nothing but its turn go on. */
async function settle(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A peer that is as slow, and as gone, as the test says; it holds the connection to what a socket may be asked for. */
function fakeSocket() {
  const frames: ReturnType<typeof parseServerFrame>[] = []
  const faults: string[] = []
  let buffered = 0
  let closed: { code: number } | undefined
  let dropping = false
  let told: ((code: number) => void) | undefined
  const socket: Socket = {
    send(frame) {
      if (closed) faults.push('a frame was sent after the end')
      if (dropping) return 'dropped'
      frames.push(parseServerFrame(Buffer.from(frame).toString()))
      buffered += frame.byteLength
      return buffered > 0 ? 'buffered' : 'sent'
    },
    buffered: () => buffered,
    close(code) {
      if (closed) faults.push('it was closed twice')
      closed = { code }
      // As the transport does: before this returns.
      told?.(code)
    },
  }
  return {
    socket,
    frames,
    faults,
    get closed() {
      return closed
    },
    onClose(listener: (code: number) => void) {
      told = listener
    },
    cut() {
      if (closed) return
      closed = { code: 1006 }
      told?.(1006)
    },
    takes(bytes: number) {
      buffered = Math.max(0, buffered - bytes)
    },
    drop() {
      dropping = true
    },
  }
}

/** What a token says is written in it. */
const verify = {
  async verify(token: string): Promise<Identity> {
    const [kind, user = ''] = token.split(':')
    if (kind === 'expired') throw new Refusal('token_expired')
    if (kind === 'fault') throw new Error('the verifier fell over')
    if (kind !== 'good' && kind !== 'short') throw new Refusal('unauthorized')
    return { userId: userId(user), roles: ['user'], expiresAt: Date.now() + (kind === 'short' ? 3_000 : 3_600_000) }
  },
  size: () => 0,
}

function bench() {
  const memory = memoryFabric({ clocks: { sweepMs: 1_000_000_000 }, bounds: { logEvents: 50, partitionEntries: 20 } })
  const tamper = tamperWith({
    ...memory,
    limiter: {
      consume: async () => ({ allowed: true, remaining: 1 }),
      peek: async () => ({ allowed: true, remaining: 1 }),
    },
  } satisfies Fabric)
  const log = createLogger({ service: 'edge', level: 'fatal', destination: { write: () => undefined } })
  const settings = contextOf(
    {
      edgeId: edgeId('edge-1'),
      fabric: tamper.fabric,
      models: modelList([{ id: 'demo', label: 'Demo' }]),
      verify,
      limits: defaultLimits,
      origins: { allowed: [], check: true },
      sessionSecret: 'secret',
      maxConnections: 3,
      partitions: DEFAULT_PARTITIONS,
      listen: { host: '127.0.0.1', port: 0 },
      log,
      metrics: edgeMetrics(createMetrics()),
    },
    { outbox: { softBytes: 2_000, hardBytes: 20_000, heldBytes: 10_000 } },
  )
  const leftovers = createLeftovers(tamper.fabric.registry)
  const offenders = createOffenders(tamper.fabric.limiter)
  const edge = { ...settings, disabled: { has: () => false }, leftovers, offenders }
  const feeds = createFeeds(tamper.fabric, log)
  const decode = clientDecoder(edge.limits)
  const handles = new Map<string, Connection>()
  const background = new Set<Promise<void>>()
  const counts = { gone: 0 }

  const around: Surroundings = {
    edge,
    feeds,
    decode,
    gone(connection) {
      counts.gone += 1
      handles.delete(connection.id)
      leave(connection)
    },
    background(work, failed) {
      const tracked: Promise<void> = work.then(() => undefined, failed).finally(() => background.delete(tracked))
      background.add(tracked)
    },
  }

  function open() {
    const fake = fakeSocket()
    const handle = connect(fake.socket, around, {
      address: '127.0.0.1',
      headerToken: undefined,
      known: () => undefined,
    })
    fake.onClose(() => handle.closed(1006))
    handles.set(handle.id, handle)
    return { fake, handle, send: (frame: object) => handle.message(encodeFrame(frame as never), false) }
  }

  return { memory, tamper, feeds, handles, background, counts, open, storage: storage(tamper.fabric), edge }
}

type Act =
  | { do: 'frame'; frame: object }
  | { do: 'bytes'; bytes: Uint8Array; binary: boolean }
  | { do: 'takes'; bytes: number }
  | { do: 'time'; ms: number }
  | { do: 'reply'; close: CloseReason | undefined; id: string; empty: boolean }
  | { do: 'event'; what: 'say' | 'delta' | 'typing' | 'lose' }
  | { do: 'fault'; at: readonly [Parameters<ReturnType<typeof tamperWith>['on']>[0], string] }
  | { do: 'heal' | 'cut' | 'drop' | 'settle' | 'rival' }

const ids = fc.constantFrom('r-1', 'r-2', 'r-3')
const tokens = fc.constantFrom(
  'good:ada',
  'good:ada',
  'good:ada',
  'good:bob',
  'short:ada',
  'expired:ada',
  'bad',
  'fault',
)
const hello = fc.record(
  {
    type: fc.constant('hello'),
    token: tokens,
    deviceId: fc.constantFrom('d-1', 'd-2'),
    resume: fc.constantFrom('x', ''),
  },
  { requiredKeys: ['type', 'deviceId', 'token'] },
)
const valid = fc.oneof(
  fc.record({ type: fc.constant('ping'), requestId: ids }),
  fc.record({
    type: fc.constant('message.send'),
    requestId: ids,
    clientMessageId: ids,
    text: fc.string({ minLength: 1 }).map((text) => `x${text}`),
  }),
  fc.record({ type: fc.constant('typing'), sid: fc.constant('s-1'), active: fc.boolean() }),
  fc.record({ type: fc.constant('auth.refresh'), requestId: ids, token: tokens }),
  fc.record({ type: fc.constant('session.end'), sid: fc.constant('s-1') }),
  fc.record({ type: fc.constant('session.read'), sid: fc.constant('s-1'), seq: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ type: fc.constant('session.watch'), sid: fc.constant('s-1') }),
)
const frame = (arbitrary: fc.Arbitrary<object>) => fc.record({ do: fc.constant('frame' as const), frame: arbitrary })
const just = (...what: ('heal' | 'cut' | 'drop' | 'settle' | 'rival')[]) =>
  fc.constantFrom(...what.map((each) => ({ do: each })))

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: frame(hello) },
  { weight: 10, arbitrary: frame(valid) },
  { weight: 2, arbitrary: frame(fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<object>) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('bytes' as const),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom(new Uint8Array(5_000), new Uint8Array(65_537), Buffer.from('{"type":"ping"}')),
      ),
      binary: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('takes' as const), bytes: fc.constantFrom(500, 5_000, 1_000_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.constantFrom(100, 4_000, 5_001, 3_600_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('reply' as const),
      close: fc.constantFrom<(CloseReason | undefined)[]>(undefined, undefined, 'replaced', 'forbidden'),
      id: ids,
      empty: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('event' as const),
      what: fc.constantFrom(
        'say' as const,
        'say' as const,
        'delta' as const,
        'delta' as const,
        'typing' as const,
        'lose' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      at: fc.constantFrom(
        ...([
          ['registry', 'register'],
          ['registry', 'unregister'],
          ['bus', 'subscribe'],
          ['bus', 'read'],
          ['bus', 'signal'],
          ['bus', 'reply'],
          ['answers', 'snapshot'],
          ['ingest', 'append'],
          ['limiter', 'consume'],
        ] as const),
      ),
    }),
  },
  { weight: 8, arbitrary: just('settle', 'settle', 'settle', 'settle', 'heal', 'heal', 'rival') },
  { weight: 1, arbitrary: just('cut', 'drop') },
)

describe('a connection, whatever comes in whatever order', () => {
  it('never throws, says nothing after its end, leaves nothing behind; then another one is healthy', {
    timeout: 120_000,
  }, async () => {
    const unhandled: unknown[] = []
    const onUnhandled = (error: unknown) => void unhandled.push(error)
    process.on('unhandledRejection', onUnhandled)
    onTestFinished(() => void process.off('unhandledRejection', onUnhandled))
    const seen = { open: 0, closes: new Map<number, number>() }

    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(act, { maxLength: 60 }), async (greets, acts) => {
        const { memory, tamper, feeds, handles, background, counts, open, storage: hand, edge } = bench()
        const listening = await memory.bus.listen(edgeId('edge-1'), (packet: ReplyPacket) =>
          handles.get(packet.header.target)?.reply(packet),
        )
        const healing: (() => void)[] = []
        const heal = () => {
          for (const undo of healing.splice(0)) undo()
        }
        const { fake, handle, send } = open()
        const others: ReturnType<typeof open>[] = []
        let index = 0
        if (greets) {
          send({ type: 'hello', token: 'good:ada', deviceId: 'd-1' })
          await settle()
        }

        for (const now of acts) {
          if (now.do === 'frame') !fake.closed && send(now.frame)
          else if (now.do === 'bytes') !fake.closed && handle.message(now.bytes, now.binary)
          else if (now.do === 'takes') {
            fake.takes(now.bytes)
            if (!fake.closed) handle.drained()
          } else if (now.do === 'time') vi.advanceTimersByTime(now.ms)
          else if (now.do === 'reply') {
            const body = now.empty ? new Uint8Array() : encodeFrame({ type: 'pong', ts: 1 })
            handle.reply({
              header: {
                target: handle.id,
                requestId: requestId(now.id),
                ...(now.close && { close: now.close }),
              },
              body,
            })
          } else if (now.do === 'event') {
            const uid = userId('ada')
            const ref = { uid, sid: sessionId('s-1'), answerId: answerId('a-1'), seq: 2 }
            if (now.what === 'say') await hand.say('ada', `m ${'x'.repeat(300)}`)
            else if (now.what === 'delta') await memory.bus.signal(uid, deltaEvent(ref, 1, index++, 'x'.repeat(900)))
            else if (now.what === 'lose') memory.empty('realtime')
            else {
              const body = encodeFrame({ type: 'typing', sid: 's-1', author: 'admin', active: true })
              await memory.bus.signal(uid, { header: { class: 'signal', type: 'typing' }, body })
            }
          } else if (now.do === 'fault') {
            healing.push(tamper.on(now.at[0], now.at[1], () => Promise.reject(new Error('it fell over'))))
          } else if (now.do === 'heal') heal()
          else if (now.do === 'cut') fake.cut()
          else if (now.do === 'drop') fake.drop()
          else if (now.do === 'rival') {
            const rival = open()
            others.push(rival)
            rival.send({ type: 'hello', token: 'good:ada', deviceId: 'd-1' })
          } else await settle(2)
        }

        await settle()
        seen.open += handle.member ? 1 : 0
        const code = fake.closed?.code ?? 0
        seen.closes.set(code, (seen.closes.get(code) ?? 0) + 1)
        heal()
        for (const one of [{ fake }, ...others]) one.fake.cut()
        await settle()
        await Promise.all(background)
        await settle()

        for (const { fake: each } of [{ fake }, ...others]) expect(each.faults).toEqual([])
        expect(counts.gone).toBe(1 + others.length)
        expect(handles.size).toBe(0)
        expect(handle.requests.size).toBe(0)
        expect(handle.member).toBeUndefined()
        expect(vi.getTimerCount()).toBe(0)
        expect(feeds.size).toBe(0)
        expect(memory.sizes().subscriptions).toBe(0)
        // As each renewal does.
        await edge.leftovers.again()
        expect(memory.sizes().connections).toBe(0)

        const fresh = open()
        fresh.send({ type: 'hello', token: 'good:ada', deviceId: 'd-9' })
        await settle()
        fresh.send({ type: 'ping', requestId: 'echo' })
        await settle()
        expect(fresh.fake.frames.at(-1)).toMatchObject({ type: 'pong', requestId: 'echo' })
        fresh.fake.cut()
        await settle()
        await Promise.all(background)
        expect(memory.sizes().subscriptions).toBe(0)
        await listening()
        await feeds.close()
        await memory.close()
        expect(unhandled).toEqual([])
      }),
      {
        numRuns: 300,
        // Chance alone might leave one of these ends out.
        examples: [
          [false, [{ do: 'frame', frame: { type: 'ping', requestId: 'r-1' } }]],
          [false, [{ do: 'frame', frame: { type: 'hello', token: 'bad', deviceId: 'd-1' } }, { do: 'settle' }]],
          [false, [{ do: 'frame', frame: { type: 'hello', token: 'fault', deviceId: 'd-1' } }, { do: 'settle' }]],
          [false, [{ do: 'time', ms: 5_001 }]],
          [true, [{ do: 'drop' }, { do: 'frame', frame: { type: 'ping', requestId: 'r-1' } }]],
          [true, [{ do: 'rival' }, { do: 'settle' }, { do: 'settle' }, { do: 'settle' }]],
        ],
      },
    )
    // The test would be none if all connections ended in the same way.
    expect(seen.open).toBeGreaterThan(20)
    for (const reason of [
      'protocol_error',
      'replaced',
      'unauthorized',
      'hello_timeout',
      'slow_consumer',
      'internal',
    ] as const) {
      expect(seen.closes.get(closeCodes[reason].code) ?? 0, reason).toBeGreaterThan(0)
    }
  })
})
