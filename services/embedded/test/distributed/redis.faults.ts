import { setTimeout as pause } from 'node:timers/promises'
import { available } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { emptyRedis } from './emptied-redis.ts'
import { faultsOf } from './faults-of.ts'
import { chatter, cleanUp, expectProbes, metric, ownRedis, patient, restarted, rested, scene, USERS } from './scene.ts'
import type { EdgeProcess } from './system.ts'

const there = await available('redis')
afterEach(cleanUp)

const kept = (edge: EdgeProcess, structure: string) =>
  metric(edge, `chatbox_structure_entries{structure="${structure}"}`)

describe.skipIf(!there)('the system under faults', { timeout: 180_000 }, () => {
  it('goes on without a gap when an edge is killed under load, and its rows stop counting (fault 1)', async () => {
    const { system, roamers, open } = await scene({ redisUrl: (await ownRedis()).url })
    const [victim, other] = system.edges
    if (!victim || !other) throw new Error('there is no edge')
    // A user all of whose places are taken on the edge that dies.
    await Promise.all(Array.from({ length: 10 }, (_, i) => system.device(victim, 'full', `d-${i}`)))
    const talk = chatter(roamers)
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(USERS * 3)
    // Those ten beside.
    const here = (await metric(victim, 'chatbox_edge_connections')) - 10
    expect(here).toBeGreaterThan(0)
    open.delete(victim)
    victim.process.kill('SIGKILL')
    await expect
      .poll(
        () =>
          system.device(other, 'full', 'anew').then(
            () => true,
            () => false,
          ),
        { ...patient, interval: 100 },
      )
      .toBe(true)
    const before = talk.count()
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(before + USERS * 3)
    await talk.stop()
    await rested(system, roamers)
    expect(roamers.filter(({ connections }) => connections > 1).length).toBe(here)
    expect(roamers.filter(({ losses }) => losses > 0)).toEqual([])
    await expect.poll(() => faultsOf(system, roamers), patient).toEqual([])
  })

  it('tells every client to come back when an edge is stopped under load, loses nothing, and exits with 0 (P9)', async () => {
    const { system, roamers, open } = await scene({ redisUrl: (await ownRedis()).url })
    const [leaving] = system.edges
    if (!leaving) throw new Error('there is no edge')
    const here = await metric(leaving, 'chatbox_edge_connections')
    expect(here).toBeGreaterThan(0)
    const talk = chatter(roamers)
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(USERS * 3)
    open.delete(leaving)
    leaving.process.kill('SIGTERM')
    expect(await leaving.process.exited).toEqual({ code: 0, signal: null })
    await expect.poll(() => roamers.every(({ connected }) => connected), patient).toBe(true)
    await talk.stop()
    await rested(system, roamers)
    const moved = roamers.filter(({ connections }) => connections > 1)
    expect(moved.length).toBe(here)
    for (const { ends, told } of moved) expect({ ends, told }).toEqual({ ends: [1012], told: 1 })
    expect(roamers.filter(({ losses }) => losses > 0)).toEqual([])
    await expect.poll(() => faultsOf(system, roamers), patient).toEqual([])
  })

  it('keeps its sockets when Redis is killed and comes back empty, tells them, and goes on (fault 7)', async () => {
    const redis = await ownRedis()
    const { system, roamers } = await scene({ redisUrl: redis.url })
    const talk = chatter(roamers)
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(USERS * 3)
    await redis.kill()
    await pause(300)
    await restarted(redis)
    const before = talk.count()
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(before + USERS * 3)
    await talk.stop()
    await rested(system, roamers)
    expect(roamers.flatMap(({ ends }) => ends)).toEqual([])
    expect(roamers.filter(({ losses }) => losses > 0).length).toBe(roamers.length)
    await expect.poll(() => faultsOf(system, roamers), patient).toEqual([])
  })

  it('fills the registry of an emptied Redis again in time, by the edges alone (S8)', () =>
    emptyRedis({ clockScale: 0.1, withinMs: 15_000 }))

  it('answers within its time while Redis hangs, stays live, says that it is not ready, and recovers by itself (fault 10)', async () => {
    const redis = await ownRedis()
    const { system, roamers } = await scene({ redisUrl: redis.url, edges: 1 })
    const [edge] = system.edges
    const { pid } = redis
    if (!edge || pid === undefined) throw new Error('there is no edge')
    const talk = chatter(roamers)
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(USERS * 2)
    expect(await metric(edge, 'chatbox_rate_limited_alone_total')).toBe(0)
    expect(await kept(edge, 'redis_limit_keys')).toBe(0)
    expect(await kept(edge, 'keys_users')).toBe(USERS)
    process.kill(pid, 'SIGSTOP')
    try {
      await expectProbes(edge, { healthz: 200, readyz: 503 })
      const retryable = () => roamers.flatMap(({ errors }) => errors).filter((error) => error.retryable).length
      await expect.poll(retryable, patient).toBeGreaterThan(USERS)
      // Once its commands have timed out.
      await expect.poll(() => metric(edge, 'chatbox_rate_limited_alone_total'), patient).toBeGreaterThan(USERS)
      expect(await kept(edge, 'redis_limit_keys')).toBeGreaterThan(0)
      await expect(system.device(edge, 'newcomer', 'one', { patient: false })).rejects.toThrow(/1013|4001|503/)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    const before = talk.count()
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(before + USERS * 2)
    await talk.stop()
    await rested(system, roamers)
    await expect.poll(async () => (await fetch(new URL('/chat/readyz', edge.opsUrl))).status, patient).toBe(200)
    expect(roamers.flatMap(({ errors }) => errors).filter((error) => !error.retryable)).toEqual([])
    await expect.poll(() => faultsOf(system, roamers, { mayMiss: true }), patient).toEqual([])
  })

  it('misses nothing while subscribers are cut off again and again (P4)', async () => {
    const redis = await ownRedis()
    const { system, roamers } = await scene({ redisUrl: redis.url, edges: 2 })
    const talk = chatter(roamers)
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    let cut = 0
    for (let i = 0; i < 10; i += 1) {
      cut += Number(await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'))
      await pause(150)
    }
    admin.disconnect()
    await talk.stop()
    await rested(system, roamers)
    expect(cut).toBeGreaterThan(10)
    await expect.poll(() => faultsOf(system, roamers, { mayMiss: true }), patient).toEqual([])
    expect(roamers.filter(({ losses }) => losses > 0)).toEqual([])
    expect(roamers.flatMap(({ ends }) => ends)).toEqual([])
  })
})
