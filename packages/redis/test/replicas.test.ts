import { randomUUID } from 'node:crypto'
import {
  connectionId,
  deviceId,
  type EdgeId,
  edgeId,
  type Fabric,
  type Registration,
  Unavailable,
  userId,
} from '@chatbox/core'
import { type RedisFabric, redisFabric } from '@chatbox/redis'
import { available, type RunningServer, startRedis } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'

const there = await available('redis')
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const LEASE_MS = 1_500
const LIMITS = { messages: { points: 60, perMs: 60_000 } }
const uid = userId('u1')
let alone = 0

async function server(): Promise<RunningServer> {
  const redis = await startRedis()
  cleanups.push(() => redis.stop())
  return redis
}

/** As many processes as there are fabrics. */
async function replicas(redis: RunningServer, count: number): Promise<RedisFabric[]> {
  alone = 0
  const fabrics = Array.from({ length: count }, () =>
    redisFabric({
      realtimeUrl: redis.url,
      queueUrl: redis.url,
      limits: LIMITS,
      clocks: { commandMs: 500, retryMs: 50, edgeLeaseMs: LEASE_MS, edgesFreshMs: 100 },
      onLimitedAlone: () => {
        alone += 1
      },
    }),
  )
  cleanups.push(() => Promise.all(fabrics.map((fabric) => fabric.close())))
  await Promise.all(fabrics.map((fabric) => fabric.start()))
  return fabrics
}

const edges = (count: number): EdgeId[] => Array.from({ length: count }, (_, i) => edgeId(`edge-${i}`))

const row = (edge: EdgeId, device: string = randomUUID()): Registration => ({
  uid,
  connectionId: connectionId(randomUUID()),
  deviceId: deviceId(device),
  edgeId: edge,
  since: Date.now(),
})

const at = <T>(list: readonly T[], i: number): T => {
  const item = list[i % list.length]
  if (item === undefined) throw new Error('the list is empty')
  return item
}

async function allRenew(fabrics: readonly Fabric[], ids: readonly EdgeId[]): Promise<string[]> {
  return Promise.all(fabrics.map((fabric, i) => fabric.registry.renew(at(ids, i))))
}

describe.skipIf(!there)('several replicas over one Redis', () => {
  it('admit exactly the cap of 200 connections that come at once (S3)', async () => {
    const fabrics = await replicas(await server(), 3)
    const ids = edges(3)
    await allRenew(fabrics, ids)
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) => at(fabrics, i).registry.register(row(at(ids, i)), 10)),
    )
    expect(outcomes.filter(({ kind }) => kind === 'registered').length).toBe(10)
    for (const { registry } of fabrics) expect(await registry.count(uid)).toBe(10)
  })

  it('leave one of many connections of one device that race on all of them (S4)', async () => {
    const fabrics = await replicas(await server(), 3)
    const ids = edges(3)
    await allRenew(fabrics, ids)
    const rows = Array.from({ length: 60 }, (_, i) => row(at(ids, i), 'one device'))
    const outcomes = await Promise.all(rows.map((each, i) => at(fabrics, i).registry.register(each, 10)))
    const replaced = outcomes.flatMap((outcome) => (outcome.kind === 'registered' ? outcome.replaced : []))
    const left = await at(fabrics, 0).registry.list(uid)
    expect(left.length).toBe(1)
    const ended = replaced.map((each) => each.connectionId)
    expect(new Set(ended).size).toBe(59)
    expect([...ended, left[0]?.connectionId].sort()).toEqual(rows.map((each) => each.connectionId).sort())
  })

  it('stop counting the rows of one that died, within its lease (S8)', async () => {
    const fabrics = await replicas(await server(), 2)
    const ids = edges(2)
    await allRenew(fabrics, ids)
    for (let i = 0; i < 10; i += 1) await at(fabrics, i).registry.register(row(at(ids, i)), 10)
    const [survivor] = fabrics
    if (!survivor) throw new Error('there is no replica')
    expect(await survivor.registry.register(row(at(ids, 0)), 10)).toMatchObject({ kind: 'refused' })
    await fabrics[1]?.close()
    const from = performance.now()
    await expect
      .poll(
        async () => {
          await survivor.registry.renew(at(ids, 0))
          return survivor.registry.count(uid)
        },
        { timeout: LEASE_MS * 3 },
      )
      .toBe(5)
    expect(performance.now() - from).toBeLessThan(LEASE_MS * 2)
    expect(await survivor.registry.register(row(at(ids, 0)), 10)).toMatchObject({ kind: 'registered', count: 6 })
  })

  it('are told to fill a Redis again that came back empty, or with an older file whose rows are no more (S8)', async () => {
    const redis = await server()
    const fabrics = await replicas(redis, 2)
    const ids = edges(2)
    await allRenew(fabrics, ids)
    expect(await allRenew(fabrics, ids)).toEqual(['renewed', 'renewed'])
    const kept = [row(at(ids, 0)), row(at(ids, 1))]
    const gone = row(at(ids, 0))
    for (const each of [...kept, gone]) await at(fabrics, 0).registry.register(each, 10)
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    await admin.save()
    admin.disconnect()
    // After the file was written one leaves, and another comes.
    await at(fabrics, 0).registry.unregister(gone)
    const late = row(at(ids, 1))
    await at(fabrics, 1).registry.register(late, 10)
    await redis.kill()
    const again = await startRedis({ port: redis.port, dir: redis.dir })
    cleanups.push(() => again.stop())
    await Promise.all(fabrics.map((fabric) => fabric.start()))
    expect(await allRenew(fabrics, ids)).toEqual(['lost', 'lost'])
    // What each edge still holds.
    await at(fabrics, 0).registry.register(at(kept, 0), 10)
    for (const each of [at(kept, 1), late]) await at(fabrics, 1).registry.register(each, 10)
    expect(await allRenew(fabrics, ids)).toEqual(['renewed', 'renewed'])
    const listed = await at(fabrics, 0).registry.list(uid)
    const connections = (rows: readonly Registration[]) => rows.map((each) => each.connectionId).sort()
    expect(connections(listed)).toEqual(connections([...kept, late]))
  })

  it('share one budget: of 200 requests at once they admit exactly it (security 20)', async () => {
    const fabrics = await replicas(await server(), 3)
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) => at(fabrics, i).limiter.consume('messages', 'u1')),
    )
    expect(outcomes.filter(({ allowed }) => allowed).length).toBe(60)
    expect(alone).toBe(0)
  })

  it('count for themselves while Redis is away, say so, and let nobody through without a limit', async () => {
    const redis = await server()
    const [fabric] = await replicas(redis, 1)
    if (!fabric) throw new Error('there is no replica')
    expect(fabric.sizes().limit_keys).toBe(0)
    await redis.kill()
    const outcomes = []
    for (let i = 0; i < 100; i += 1) outcomes.push(await fabric.limiter.consume('messages', 'u1'))
    expect(outcomes.filter(({ allowed }) => allowed).length).toBe(60)
    expect(alone).toBe(100)
    await fabric.limiter.consume('messages', 'u2')
    expect(fabric.sizes().limit_keys).toBe(2)
    await expect(fabric.registry.register(row(edgeId('edge-0')), 10)).rejects.toBeInstanceOf(Unavailable)
  })
})
