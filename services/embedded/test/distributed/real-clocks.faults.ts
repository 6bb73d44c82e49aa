import { mkdirSync, rmdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { available, startRedisSentinel } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { disableSomebody } from './disabled-user.ts'
import { emptyRedis } from './emptied-redis.ts'
import { faultsOf } from './faults-of.ts'
import type { Roamer } from './roamer.ts'
import {
  chatter,
  cleanUp,
  expectProbes,
  later,
  ownRedis,
  restarted,
  rested,
  type Scene,
  scene,
  USERS,
} from './scene.ts'
import type { EdgeProcess } from './system.ts'

const there = await available('redis')
afterEach(cleanUp)

const REAL = { clockScale: 1 }
const patient = { timeout: 60_000, interval: 100 }

async function admin<T>(port: number, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ host: '127.0.0.1', port })
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}

/** The fault, between talk before it and talk after it; then everything is compared with what is stored. */
async function during({ system, roamers }: Scene, fault: () => Promise<void>): Promise<void> {
  const talk = chatter(roamers)
  await expect.poll(() => talk.count(), patient).toBeGreaterThan(USERS * 4)
  await fault()
  const before = talk.count()
  await expect.poll(() => talk.count(), patient).toBeGreaterThan(before + USERS * 4)
  await talk.stop()
  await rested(system, roamers)
  await expect.poll(() => faultsOf(system, roamers, { mayMiss: true }), patient).toEqual([])
}

const lost = (roamers: readonly Roamer[]) => roamers.filter(({ losses }) => losses > 0).length
const ends = (roamers: readonly Roamer[]) => roamers.flatMap((roamer) => roamer.ends)
const final = (roamers: readonly Roamer[]) =>
  roamers.flatMap(({ errors }) => errors).filter(({ retryable }) => !retryable)

const ready = async (edge: EdgeProcess) => (await fetch(new URL('/chat/readyz', edge.opsUrl))).status

describe.skipIf(!there)('the system at real clocks', () => {
  it('misses nothing while every subscriber is cut off each second for half a minute (P4)', async () => {
    const redis = await ownRedis()
    const it = await scene({ redisUrl: redis.url, ...REAL })
    await during(it, () =>
      admin(redis.port, async (asked) => {
        for (let i = 0; i < 30; i += 1) {
          expect(Number(await asked.call('CLIENT', 'KILL', 'TYPE', 'pubsub'))).toBeGreaterThan(0)
          await pause(1_000)
        }
      }),
    )
    expect(lost(it.roamers)).toBe(0)
    expect(ends(it.roamers)).toEqual([])
  })

  it('outlives a Redis that is stopped for 20 s: sockets stay, whoever sends is told in time, nothing is lost (faults 7, 10)', async () => {
    const redis = await ownRedis()
    const it = await scene({ redisUrl: redis.url, ...REAL })
    const { pid } = redis
    if (pid === undefined) throw new Error('this Redis has no process here')
    await during(it, async () => {
      process.kill(pid, 'SIGSTOP')
      const until = Date.now() + 20_000
      while (Date.now() < until) {
        for (const edge of it.system.edges) await expectProbes(edge, { healthz: 200, readyz: 503 })
        await pause(1_000)
      }
      process.kill(pid, 'SIGCONT')
    })
    expect(it.roamers.flatMap(({ errors }) => errors).length).toBeGreaterThan(USERS)
    expect(final(it.roamers)).toEqual([])
    expect(ends(it.roamers)).toEqual([])
    for (const edge of it.system.edges) await expect.poll(() => ready(edge), patient).toBe(200)
  })

  it('outlives a Redis that pauses its clients', async () => {
    const redis = await ownRedis()
    const it = await scene({ redisUrl: redis.url, ...REAL })
    await during(it, async () => {
      await admin(redis.port, (asked) => asked.call('CLIENT', 'PAUSE', '8000', 'ALL'))
      await pause(8_000)
    })
    expect(final(it.roamers)).toEqual([])
    expect(ends(it.roamers)).toEqual([])
  })

  it('says no in time while Redis has no memory left, and goes on without a restart (fault 12)', async () => {
    const redis = await ownRedis(['--maxmemory-policy', 'noeviction'])
    const it = await scene({ redisUrl: redis.url, ...REAL })
    await during(it, () =>
      admin(redis.port, async (asked) => {
        await asked.config('SET', 'maxmemory', '1')
        const known = it.roamers.flatMap(({ errors }) => errors).length
        await expect.poll(() => it.roamers.flatMap(({ errors }) => errors).length, patient).toBeGreaterThan(known + 3)
        await asked.config('SET', 'maxmemory', '0')
      }),
    )
    expect(final(it.roamers)).toEqual([])
    expect(ends(it.roamers)).toEqual([])
  })

  it('says no in time while Redis cannot write its file, and goes on (fault 11)', async () => {
    const redis = await ownRedis(['--save', '3600 1', '--stop-writes-on-bgsave-error', 'yes'])
    const it = await scene({ redisUrl: redis.url, ...REAL })
    await during(it, () =>
      admin(redis.port, async (asked) => {
        // A folder stands where the file should be, so that the save fails.
        const blocked = `${redis.dir}/dump.rdb`
        mkdirSync(blocked)
        await asked.bgsave()
        await expect.poll(async () => asked.info('persistence'), patient).toContain('rdb_last_bgsave_status:err')
        const known = it.roamers.flatMap(({ errors }) => errors).length
        await expect.poll(() => it.roamers.flatMap(({ errors }) => errors).length, patient).toBeGreaterThan(known + 3)
        rmdirSync(blocked)
        await asked.bgsave()
        await expect.poll(async () => asked.info('persistence'), patient).toContain('rdb_last_bgsave_status:ok')
      }),
    )
    expect(final(it.roamers)).toEqual([])
  })

  it('says what is lost when Redis comes back with a file that is two seconds old (fault 7)', async () => {
    const redis = await ownRedis()
    const it = await scene({ redisUrl: redis.url, ...REAL })
    await during(it, async () => {
      await admin(redis.port, (asked) => asked.save())
      await pause(2_000)
      await redis.kill()
      await restarted(redis)
      await expect.poll(() => lost(it.roamers), patient).toBe(it.roamers.length)
    })
    expect(ends(it.roamers)).toEqual([])
  })

  it('follows the sentinels to a replica that lags behind, and shows nobody that it is read-only (fault 9)', async () => {
    const sentinel = await startRedisSentinel()
    later(() => sentinel.stop())
    const it = await scene({ redisUrl: sentinel.url, ...REAL })
    const { pid } = sentinel.replica
    if (pid === undefined) throw new Error('this Redis has no process here')
    await during(it, async () => {
      process.kill(pid, 'SIGSTOP')
      await pause(2_000)
      await sentinel.master.kill()
      process.kill(pid, 'SIGCONT')
      await sentinel.failedOver(sentinel.master)
      await expect.poll(() => lost(it.roamers), patient).toBe(it.roamers.length)
    })
    expect(final(it.roamers)).toEqual([])
    expect(ends(it.roamers)).toEqual([])
  })

  it('fills the registry of an emptied Redis again within 15 s, by the edges alone (S8)', () =>
    emptyRedis({ ...REAL, withinMs: 15_000 }))

  it('closes the sockets of a user who is disabled in the database within 5 s, on every edge (R23, security 8)', () =>
    disableSomebody({ ...REAL, withinMs: 5_000, signalLost: false }))

  it('closes them as soon also when no edge heard of it (R23, security 8)', () =>
    disableSomebody({ ...REAL, withinMs: 5_000, signalLost: true }))

  it('stops counting the connections of a killed edge within 15 s (S8)', async () => {
    const redis = await ownRedis()
    const it = await scene({ redisUrl: redis.url, ...REAL, edges: 2 })
    const [victim, other] = it.system.edges
    if (!victim || !other) throw new Error('there is no edge')
    await Promise.all(Array.from({ length: 10 }, (_, i) => it.system.device(victim, 'full', `d-${i}`)))
    await expect(it.system.device(other, 'full', 'one-more')).rejects.toThrow()
    it.open.delete(victim)
    victim.process.kill('SIGKILL')
    // Not sooner than the time is up, so that a busy machine can only be late, and never too soon to be told.
    await pause(15_000)
    const newcomer = await it.system.device(other, 'full', 'one-more')
    expect(newcomer.frames.some(({ type }) => type === 'ready')).toBe(true)
  })
})
