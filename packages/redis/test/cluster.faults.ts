import { setTimeout as pause } from 'node:timers/promises'
import {
  answerId,
  connectionId,
  deviceId,
  edgeId,
  type Job,
  requestId,
  sessionId,
  Unavailable,
  type UserId,
  userId,
} from '@chatbox/core'
import { redisFabric } from '@chatbox/redis'
import { available, type RedisCluster, type RedisClusterOptions, startRedisCluster } from '@chatbox/testkit/servers'
import { describe, expect, it } from 'vitest'
import { keysFor } from '../src/keys.ts'
import { follow } from './support/follower.ts'
import { masterOf, moveSlot, nameOn, on, onEach } from './support/slots.ts'
import { CLOCKS, stand } from './support/stand.ts'

const there = await available('redis')
const keys = keysFor('chatbox')
/** Looks that are made only because something happened. */
const NEVER = 600_000
const soon = { timeout: 10_000 }

const channelOf = (name: string) => keys.ofUser(userId(name)).channel
const userOn = (master: number): UserId => userId(nameOn(master, channelOf))
const partitionOn = (master: number): number =>
  Number(nameOn(master, (name) => keys.ofPartition(Number(name.slice(4))).entries).slice(4))
const event = (text: string) => ({
  header: { class: 'logged', type: 'message' } as const,
  body: new TextEncoder().encode(text),
})
const signal = (text: string) => ({
  header: { class: 'signal', type: 'typing' } as const,
  body: new TextEncoder().encode(text),
})
const textOf = ({ body }: { body: Uint8Array }) => Buffer.from(body).toString()
const row = (uid: UserId, name: string) => ({
  uid,
  connectionId: connectionId(name),
  deviceId: deviceId(name),
  edgeId: edgeId('edge'),
  since: 1,
})

describe.skipIf(!there)('a Redis Cluster', () => {
  const { fabricAt, later } = stand()

  async function cluster(options?: RedisClusterOptions): Promise<RedisCluster> {
    const started = await startRedisCluster(options)
    later(() => started.stop())
    return started
  }

  it('goes on with the replica that takes over from a master, also where that was the only one named; users of the others notice nothing', async () => {
    // What has the jobs, so that they fail over too.
    const failing = masterOf(keys.jobs)
    const nodes = await cluster({ replicaOf: failing })
    await onEach(serversOf(nodes), (redis) => redis.config('SET', 'cluster-require-full-coverage', 'no'))
    const url = `redis+cluster://127.0.0.1:${nodes.nodes[failing]?.port}`
    const { bus, jobs, answers } = await fabricAt(url, { clocks: { layoutMs: NEVER } })
    const [uid, other] = [userOn(failing), userOn((failing + 1) % 3)]
    const done: string[] = []
    await jobs.consume(async ({ answerId: id }) => void done.push(id), { concurrency: 1 })
    const [hit, spared] = [await follow(bus, uid, textOf), await follow(bus, other, textOf)]
    for (const user of [uid, other]) await bus.append(user, event('before'), 1)

    await nodes.nodes[failing]?.kill()
    const outcomes: unknown[] = []
    let during = 0
    const failedOver = nodes.failedOver()
    await expect
      .poll(async () => {
        during += 1
        await bus.append(other, event(`during ${during}`), 1)
        const appended = bus.append(uid, event('after'), 1)
        return appended.catch((error: unknown) => void outcomes.push(error))
      }, soon)
      .toMatchObject({ kind: 'appended' })
    await failedOver
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(Unavailable)
    await hit.settled()
    await spared.settled()
    expect(hit.losses).toHaveLength(1)
    expect(hit.texts.filter((text) => text === 'before')).toEqual(['before'])
    expect(spared.losses).toEqual([])
    expect(spared.texts).toEqual(['before', ...Array.from({ length: during }, (_, i) => `during ${i + 1}`)])
    expect((await answers.snapshot(uid)).open).toEqual([])

    const job: Job = { sid: sessionId('s'), answerId: answerId('after'), n: 1 }
    await expect.poll(() => jobs.enqueue(job).then(() => 'taken', String), soon).toBe('taken')
    await expect.poll(() => done, soon).toContain('after')
  }, 60_000)

  it('is known from the node that knows most, and not from one that was cut off and believes in what was before', async () => {
    const [nodes, cutOff] = [await cluster(), await cluster({ masters: 1 })]
    const url = `${cutOff.url},${nodes.url.replace(/.*:\/\//, '')}`
    for (let i = 0; i < 3; i += 1) {
      const { bus } = await fabricAt(url)
      for (const master of [0, 1, 2]) await bus.append(userOn(master), event('hello'), 1)
    }
    expect(await onEach(cutOff.nodes, (redis) => redis.dbsize())).toEqual([0])
  })

  it('that comes later is found by and by, without anybody who asks', async () => {
    const nodes = await cluster()
    await Promise.all(nodes.nodes.map((node) => node.kill()))
    const fabric = redisFabric({ realtimeUrl: nodes.url, queueUrl: nodes.url, clocks: { ...CLOCKS, layoutMs: NEVER } })
    later(() => fabric.close())
    await expect(fabric.start(300)).rejects.toBeInstanceOf(Unavailable)
    await expect(fabric.ping('realtime')).rejects.toBeInstanceOf(Unavailable)
    // Whatever still looks has given up by then.
    await pause(1_000)
    await nodes.restart()
    const append = () => fabric.bus.append(userOn(0), event('late'), 1).then(({ kind }) => kind, String)
    await expect.poll(append, soon).toBe('appended')
    await fabric.ping('realtime')
  }, 60_000)

  it('that comes while somebody starts is waited for', async () => {
    const nodes = await cluster()
    await Promise.all(nodes.nodes.map((node) => node.kill()))
    const fabric = redisFabric({ realtimeUrl: nodes.url, queueUrl: nodes.url, clocks: { ...CLOCKS, layoutMs: NEVER } })
    later(() => fabric.close())
    const started = fabric.start(30_000)
    await pause(1_000)
    await nodes.restart()
    await started
    expect((await fabric.bus.append(userOn(0), event('late'), 1)).kind).toBe('appended')
  }, 60_000)

  it('is followed while a slot moves: what is on its way is asked for where it is, and what cannot be waits (ASK, TRYAGAIN)', async () => {
    const nodes = await cluster()
    const alone: string[] = []
    const { bus, registry, limiter, answers } = await fabricAt(nodes.url, {
      clocks: { commandMs: 5_000, layoutMs: NEVER },
      limits: { messages: { points: 100, perMs: 600_000 } },
      onLimitedAlone: () => alone.push('alone'),
    })
    const uid = userOn(0)
    const limited = nameOn(0, (name) => `${keys.limit('messages')}:${name}`)
    const spent = async () => {
      const consumed = await limiter.consume('messages', limited)
      return consumed.allowed && 100 - consumed.remaining
    }
    const ref = { uid, sid: sessionId('s'), answerId: answerId('a'), seq: 2 }
    await registry.register(row(uid, 'before'), 10)
    await bus.append(uid, event('before'), 1)
    expect(await answers.begin(ref, 1, 0, event('begun'))).toBe('begun')
    expect(await answers.fence(uid, sessionId('another'), 1)).toEqual([])
    expect(await spent()).toBe(1)
    const heard: string[] = []
    await bus.subscribe(uid, { event: (packet) => heard.push(textOf(packet)), gap: () => heard.push('gap') })
    const follower = await follow(bus, uid, textOf)

    const limits = await moveSlot(nodes, `${keys.limit('messages')}:${limited}`)
    expect(await spent()).toBe(2)
    await limits.migrate()
    expect(await spent()).toBe(3)
    await limits.done()
    expect(await spent()).toBe(4)

    const moving = await moveSlot(nodes, channelOf(uid))
    await bus.signal(uid, signal('in the beginning'))
    expect(await registry.register(row(uid, 'in the beginning'), 10)).toMatchObject({ count: 2 })
    const early = bus.append(uid, event('early'), 1)
    await pause(50)
    await moving.migrate()
    await bus.signal(uid, signal('in the end'))
    expect(await registry.register(row(uid, 'in the end'), 10)).toMatchObject({ count: 3 })
    const late = bus.append(uid, event('late'), 1)
    // All the answers of the user, or none: some could be here and some there.
    const fenced = answers.fence(uid, ref.sid, 1)
    let settled = 0
    for (const each of [early, late, fenced]) void each.then(() => (settled += 1))
    await pause(100)
    expect(settled).toBe(0)
    expect(heard).toEqual(['in the beginning', 'in the end'])
    await moving.done()
    expect([(await early).kind, (await late).kind]).toEqual(['appended', 'appended'])
    expect((await fenced).map((closed) => closed.ref.answerId)).toEqual([ref.answerId])
    expect(await registry.count(uid)).toBe(3)
    await expect.poll(() => heard).toContain('gap')
    await follower.settled()
    expect(follower.losses).toHaveLength(1)
    expect(alone).toEqual([])
  }, 60_000)

  it('loses nothing and tells nobody else of a gap while events flow and their slot moves', async () => {
    const nodes = await cluster()
    const { bus } = await fabricAt(nodes.url, { clocks: { commandMs: 5_000, layoutMs: NEVER } })
    const uid = userOn(0)
    const neighbour = userId(nameOn(0, (name) => channelOf(`${name}-neighbour`))).concat('-neighbour') as UserId
    const [moved, spared] = [await follow(bus, uid, textOf), await follow(bus, neighbour, textOf)]
    const taken: string[] = []
    let over = false
    const running = (async () => {
      for (let n = 1; !over; n += 1) {
        await bus.append(uid, event(`e${n}`), 1)
        taken.push(`e${n}`)
        await bus.append(neighbour, event(`n${n}`), 1)
      }
    })()
    const first = await bus.top(uid)
    const moving = await moveSlot(nodes, channelOf(uid))
    await moving.migrate()
    await pause(100)
    // What was made since, for a new log cannot be while the slot is on its way.
    await moving.migrate()
    await moving.done()
    const before = taken.length
    await expect.poll(() => taken.length).toBeGreaterThan(before + 20)
    over = true
    await running
    await moved.settled()
    await spared.settled()
    // The log has moved with the slot, whole.
    const read = await bus.read(uid, { ...(await bus.top(uid)), offset: first.offset })
    expect(read.kind === 'events' && read.events.map(({ packet }) => textOf(packet))).toEqual(taken.slice(first.offset))
    expect(moved.losses).toHaveLength(1)
    expect(moved.texts).toEqual(taken.filter((text) => moved.texts.includes(text)))
    expect(moved.texts.at(-1)).toBe(taken.at(-1))
    expect(spared.gaps).toBe(0)
    expect(spared.texts).toEqual(taken.map((text) => text.replace('e', 'n')))
  }, 60_000)

  it('is listened to everywhere else while nobody serves a slot, and there again when somebody does', async () => {
    const nodes = await cluster({ replicaOf: 1 })
    await onEach(serversOf(nodes), (redis) => redis.config('SET', 'cluster-require-full-coverage', 'no'))
    const { bus } = await fabricAt(nodes.url, { clocks: { layoutMs: 200 } })
    const [uid, other] = [userOn(0), userOn(1)]
    const [away, moved] = [await follow(bus, uid, textOf), await follow(bus, other, textOf)]
    for (const user of [uid, other]) await bus.append(user, event('before'), 1)
    await expect.poll(() => [away.texts, moved.texts]).toEqual([['before'], ['before']])
    const slot = Number(
      await on(nodes.nodes[0] ?? raise(), (redis) => redis.call('CLUSTER', 'KEYSLOT', channelOf(uid))),
    )
    await onEach(serversOf(nodes), (redis) => redis.call('CLUSTER', 'DELSLOTS', slot))
    await expect(bus.append(uid, event('nowhere'), 1)).rejects.toBeInstanceOf(Unavailable)
    await nodes.nodes[1]?.kill()
    await expect.poll(() => moved.losses.length, soon).toBe(1)
    await expect
      .poll(() => bus.append(other, event('after'), 1).then(({ kind }) => kind, String), soon)
      .toBe('appended')
    await expect.poll(() => moved.texts.at(-1), soon).toBe('after')

    await on(nodes.nodes[0] ?? raise(), (redis) => redis.call('CLUSTER', 'ADDSLOTS', slot))
    await expect.poll(() => bus.append(uid, event('again'), 1).then(({ kind }) => kind, String), soon).toBe('appended')
    await expect.poll(() => away.texts.at(-1), soon).toBe('again')
  }, 60_000)

  it('of which a replica takes over without asking may lack what its master had: edges register anew (S8)', async () => {
    const nodes = await cluster({ replicaOf: 0 })
    const { registry, bus } = await fabricAt(nodes.url, { clocks: { layoutMs: 200 } })
    expect(await registry.renew(edgeId('edge'))).toBe('lost')
    expect(await registry.renew(edgeId('edge'))).toBe('renewed')
    await on(nodes.replica ?? raise(), (redis) => redis.call('CLUSTER', 'FAILOVER', 'TAKEOVER'))
    await expect.poll(() => registry.renew(edgeId('edge')), soon).toBe('lost')
    expect((await bus.append(userOn(0), event('after'), 1)).kind).toBe('appended')
  })

  it('of which one server is away takes entries off the others’ partitions, with their outcomes', async () => {
    const nodes = await cluster()
    await onEach(serversOf(nodes), (redis) => redis.config('SET', 'cluster-require-full-coverage', 'no'))
    const { ingest } = await fabricAt(nodes.url)
    const partition = partitionOn(1)
    const ids = Array.from({ length: 30 }, (_, i) => requestId(`request-${i}`))
    for (const id of ids) {
      const packet = { header: { requestId: id, kind: 'send' }, body: new Uint8Array(1) }
      expect(await ingest.append({ partition, packet })).toBe('taken')
    }
    const source = await ingest.own(partition)
    const { entries } = await source.read(100, AbortSignal.timeout(10_000))
    await nodes.nodes[0]?.kill()
    const outcomeOf = (id: (typeof ids)[number]) => ({
      header: { requestId: id, class: 'outcome' as const },
      body: new Uint8Array(1),
    })
    await source.remove(entries.slice(1).map(({ id, packet }) => ({ id, outcome: outcomeOf(packet.header.requestId) })))
    await source.bury(entries[0]?.id ?? '', 'failed', outcomeOf(ids[0] ?? raise()))
    expect(await ingest.backlog(partition)).toEqual({ waiting: 0, dead: 1 })
    for (const id of ids) expect(await ingest.outcome(partition, id)).toBeDefined()
  })
})

const serversOf = ({ nodes, replica }: RedisCluster) => [...nodes, ...(replica ? [replica] : [])]

function raise(): never {
  throw new Error('there is no such thing')
}
