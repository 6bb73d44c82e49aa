import { setTimeout as pause } from 'node:timers/promises'
import { type Bus, type EventPacket, Unavailable, type UserId, userId } from '@chatbox/core'
import { type RedisClocks, type RedisFabric, redisFabric } from '@chatbox/redis'
import { startWire, type Wire } from '@chatbox/testkit/network'
import { available, type RunningServer, startRedis, startRedisSentinel } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { follow } from './support/follower.ts'

const there = await available('redis')
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const COMMAND_MS = 500
const uid = userId('u1')

async function server(args: readonly string[] = []): Promise<RunningServer> {
  const started = await startRedis({ args })
  cleanups.push(() => started.stop())
  return started
}

async function fabricAt(url: string, clocks: Partial<RedisClocks> = {}): Promise<RedisFabric> {
  const fabric = redisFabric({
    realtimeUrl: url,
    queueUrl: url,
    clocks: {
      commandMs: COMMAND_MS,
      retryMs: 50,
      probeMs: 200,
      probeTimeoutMs: 300,
      compareMs: 600,
      lingerMs: 50,
      ...clocks,
    },
  })
  cleanups.push(() => fabric.close())
  await fabric.start()
  return fabric
}

async function by(target: RunningServer, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis({ host: '127.0.0.1', port: target.port, lazyConnect: true })
  try {
    await redis.connect()
    await work(redis)
  } finally {
    redis.disconnect()
  }
}

const textOf = (packet: EventPacket) => Buffer.from(packet.body).toString()
const event = (text: string): EventPacket => ({
  header: { class: 'logged', type: 'message' },
  body: new TextEncoder().encode(text),
})

/** Appends numbered events until told to stop; an append whose outcome is not known is repeated under a number of its own. */
function stream(bus: Bus, of: UserId, everyMs = 2) {
  const taken: string[] = []
  let unknown = 0
  let over = false
  const running = (async () => {
    for (let n = 1; !over; n += 1) {
      try {
        await bus.append(of, event(`e${n}`), 1)
        taken.push(`e${n}`)
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        unknown += 1
        await pause(10)
      }
      await pause(everyMs)
    }
  })()
  return {
    taken,
    get unknown() {
      return unknown
    },
    async stop() {
      over = true
      await running
    },
  }
}

/** What was taken is there once and in order; what was unknown may be there too. */
function expectNothingMissing(texts: readonly string[], taken: readonly string[]): void {
  const wanted = new Set(taken)
  expect(texts.filter((text) => wanted.has(text))).toEqual(taken)
  expect(new Set(texts).size).toBe(texts.length)
}

describe.skipIf(!there)('the bus over a Redis that fails', () => {
  it('misses nothing while subscribers are cut off again and again, and events flow (P4)', async () => {
    const redis = await server()
    const fabric = await fabricAt(redis.url)
    const follower = await follow(fabric.bus, uid, textOf)
    const events = stream(fabric.bus, uid)
    await by(redis, async (admin) => {
      for (let i = 0; i < 15; i += 1) {
        await expect.poll(() => admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBeGreaterThan(0)
        // One that is cut off again before it hears has one gap for both.
        await expect.poll(() => follower.gaps, { timeout: 10_000 }).toBeGreaterThan(i)
      }
    })
    await events.stop()
    await follower.settled()
    expect(follower.gaps).toBeGreaterThanOrEqual(15)
    expect(follower.losses).toEqual([])
    expect(events.unknown).toBe(0)
    expectNothingMissing(follower.texts, events.taken)
  })

  it('notices a subscriber that hears nothing any more and does not know it', async () => {
    const redis = await server()
    const wire = await startWire(redis.port)
    cleanups.push(() => wire.close())
    // The comparison of tops would find out as well, only later.
    const deaf = await fabricAt(`redis://127.0.0.1:${wire.port}`, { compareMs: 3_600_000 })
    const other = await fabricAt(redis.url)
    const follower = await follow(deaf.bus, uid, textOf)
    const events = stream(other.bus, uid)
    await expect.poll(() => follower.texts.length).toBeGreaterThan(10)
    await freezeSubscriber(redis, wire)
    const before = follower.texts.length
    const { gaps } = follower
    const connections = wire.connections
    await expect.poll(() => events.taken.length - follower.texts.length).toBeGreaterThan(10)
    expect(wire.connections).toBe(connections)
    await expect.poll(() => follower.gaps, { timeout: 10_000 }).toBeGreaterThan(gaps)
    await events.stop()
    await follower.settled()
    expect(follower.texts.length).toBeGreaterThan(before)
    expect(follower.losses).toEqual([])
    expectNothingMissing(follower.texts, events.taken)
  })

  it('takes an event of another life of the server for a gap (R24)', async () => {
    const redis = await server()
    const fabric = await fabricAt(redis.url)
    const heard: string[] = []
    let gaps = 0
    await fabric.bus.subscribe(uid, {
      event: (packet) => heard.push(textOf(packet)),
      gap: () => {
        gaps += 1
      },
    })
    const { log, run } = await fabric.bus.top(uid)
    const said = (of: string, words: string) => `${log}.${of}.1\n{"class":"logged","type":"message"}\n${words}`
    await by(redis, async (admin) => {
      await admin.call('SPUBLISH', `chatbox:{${uid}}:live`, said('another', 'strange'))
      await admin.call('SPUBLISH', `chatbox:{${uid}}:live`, said(run, 'known'))
    })
    await expect.poll(() => heard).toEqual(['known'])
    expect(gaps).toBe(1)
  })

  it('finds an event that stands in the log and was never heard, by looking at the top again (R25)', async () => {
    const redis = await server()
    const fabric = await fabricAt(redis.url)
    const follower = await follow(fabric.bus, uid, textOf)
    await fabric.bus.append(uid, event('heard'), 1)
    await expect.poll(() => follower.texts).toEqual(['heard'])
    await by(redis, async (admin) => {
      const [heard] = await admin.lrangeBuffer(`chatbox:{${uid}}:events`, 0, 0)
      await admin.rpush(`chatbox:{${uid}}:events`, Buffer.from(String(heard).replace('heard', 'silent')))
      await admin.hincrby(`chatbox:{${uid}}:log`, 'top', 1)
    })
    await expect.poll(() => follower.texts, { timeout: 10_000 }).toEqual(['heard', 'silent'])
    expect(follower.gaps).toBe(1)
    expect(follower.losses).toEqual([])
  })

  it('says that something is lost when Redis comes back empty, and goes on', async () => {
    const redis = await server()
    const fabric = await fabricAt(redis.url)
    const follower = await follow(fabric.bus, uid, textOf)
    const events = stream(fabric.bus, uid)
    await expect.poll(() => follower.texts.length).toBeGreaterThan(20)
    await redis.kill()
    const again = await startRedis({ port: redis.port, dir: redis.dir })
    cleanups.push(() => again.stop())
    await expect.poll(() => follower.losses.length, { timeout: 10_000 }).toBe(1)
    const [lost = 0] = follower.losses
    await expect.poll(() => follower.texts.length).toBeGreaterThan(lost + 20)
    await events.stop()
    await follower.settled()
    expect(follower.losses).toEqual([lost])
    // All that was heard is in order, and after the loss nothing is missing.
    const after = follower.texts.slice(lost)
    expectNothingMissing(after, events.taken.slice(events.taken.indexOf(after[0] ?? '')))
    expectNothingMissing(follower.texts.slice(0, lost), events.taken.slice(0, lost))
  })

  it('says that something is lost when Redis comes back from an older file (R24)', async () => {
    const redis = await server()
    const fabric = await fabricAt(redis.url)
    const follower = await follow(fabric.bus, uid, textOf)
    for (const n of [1, 2, 3]) await fabric.bus.append(uid, event(`old ${n}`), 1)
    await by(redis, (admin) => admin.save())
    for (const n of [4, 5, 6]) await fabric.bus.append(uid, event(`old ${n}`), 1)
    await expect.poll(() => follower.texts.length).toBe(6)
    const place = await fabric.bus.top(uid)
    await redis.kill()
    const again = await startRedis({ port: redis.port, dir: redis.dir })
    cleanups.push(() => again.stop())
    await expect.poll(() => follower.losses.length, { timeout: 10_000 }).toBe(1)
    // The same log with the same offsets, and other events at them.
    for (const n of [4, 5, 6, 7]) await fabric.bus.append(uid, event(`new ${n}`), 1)
    const top = await fabric.bus.top(uid)
    expect(top.log).toBe(place.log)
    expect(top.offset).toBe(7)
    expect((await fabric.bus.read(uid, place)).kind).toBe('lost')
    await follower.settled()
    expect(follower.texts.slice(6)).toEqual(['new 4', 'new 5', 'new 6', 'new 7'])
  })

  it('answers in time while Redis hangs, keeps no commands for it, and misses nothing when it goes on (P8, P10)', async () => {
    const redis = await server()
    const fabric = await fabricAt(redis.url)
    const follower = await follow(fabric.bus, uid, textOf)
    await fabric.bus.append(uid, event('before'), 1)
    const { pid } = redis
    if (pid === undefined) throw new Error('this Redis has no process here')
    process.kill(pid, 'SIGSTOP')
    const slowest: number[] = []
    for (let i = 0; i < 100; i += 1) {
      const from = performance.now()
      await expect(fabric.bus.append(uid, event(`hung ${i}`), 1)).rejects.toBeInstanceOf(Unavailable)
      slowest.push(performance.now() - from)
    }
    expect(Math.max(...slowest)).toBeLessThan(COMMAND_MS * 4)
    // Once it is known to hang, nobody waits.
    expect(slowest.filter((ms) => ms > COMMAND_MS / 2).length).toBeLessThan(5)
    process.kill(pid, 'SIGCONT')
    await expect
      .poll(
        () =>
          fabric.bus.append(uid, event('after'), 1).then(
            ({ kind }) => kind,
            () => 'not yet',
          ),
        { timeout: 10_000 },
      )
      .toBe('appended')
    await expect.poll(() => follower.texts.includes('after'), { timeout: 10_000 }).toBe(true)
    await follower.settled()
    expect(follower.losses).toEqual([])
    expect(follower.texts[0]).toBe('before')
  })

  it('says no at once when Redis has no memory left, and goes on when it has', async () => {
    const redis = await server(['--maxmemory-policy', 'noeviction'])
    const fabric = await fabricAt(redis.url)
    const follower = await follow(fabric.bus, uid, textOf)
    await by(redis, (admin) => admin.config('SET', 'maxmemory', '1'))
    await expect(fabric.bus.append(uid, event('too much'), 1)).rejects.toBeInstanceOf(Unavailable)
    await by(redis, (admin) => admin.config('SET', 'maxmemory', '0'))
    await fabric.bus.append(uid, event('room again'), 1)
    await expect.poll(() => follower.texts).toEqual(['room again'])
  })

  it('follows the master when a replica that lags behind takes over, and says what is lost (fault 9)', async () => {
    const sentinel = await startRedisSentinel()
    cleanups.push(() => sentinel.stop())
    const fabric = await fabricAt(sentinel.url)
    const follower = await follow(fabric.bus, uid, textOf)
    for (const n of [1, 2, 3]) await fabric.bus.append(uid, event(`old ${n}`), 1)
    await by(sentinel.master, (admin) => admin.call('WAIT', 1, 5_000))
    const { pid } = sentinel.replica
    if (pid === undefined) throw new Error('this Redis has no process here')
    process.kill(pid, 'SIGSTOP')
    for (const n of [4, 5]) await fabric.bus.append(uid, event(`old ${n}`), 1)
    await expect.poll(() => follower.texts.length).toBe(5)
    await sentinel.master.kill()
    process.kill(pid, 'SIGCONT')
    await sentinel.failedOver(sentinel.master)
    const outcomes: unknown[] = []
    await expect
      .poll(
        () =>
          fabric.bus.append(uid, event('new'), 1).then(
            ({ kind }) => kind,
            (error: unknown) => outcomes.push(error),
          ),
        { timeout: 15_000 },
      )
      .toBe('appended')
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(Unavailable)
    await expect.poll(() => follower.losses.length, { timeout: 10_000 }).toBeGreaterThan(0)
    await fabric.bus.append(uid, event('newer'), 1)
    await follower.settled()
    expect(follower.texts.slice(0, 5)).toEqual(['old 1', 'old 2', 'old 3', 'old 4', 'old 5'])
    expect(follower.texts.at(-1)).toBe('newer')
  })
})

/**
 * Only what the server says on the subscriber's connection is kept back; its connection for commands goes on. That connection has two
 * channels once it has proved to hear.
 */
async function freezeSubscriber(redis: RunningServer, wire: Wire): Promise<void> {
  let port = ''
  await by(redis, async (admin) => {
    await expect
      .poll(async () => {
        const list = String(await admin.call('CLIENT', 'LIST'))
        port = /addr=127\.0\.0\.1:(\d+) .* ssub=2/.exec(list)?.[1] ?? ''
        return port
      })
      .not.toBe('')
  })
  wire.freezeConnection(Number(port))
}
