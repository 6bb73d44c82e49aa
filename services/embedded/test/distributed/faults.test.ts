import { setTimeout as pause } from 'node:timers/promises'
import { available, type RunningServer, startRedis } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf, type Roamer, startRoamer } from './roamer.ts'
import { type Distributed, type EdgeProcess, startDistributed } from './system.ts'

const there = await available('redis')
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

const USERS = 6
/** The edges' lease in the registry, at a tenth. */
const LEASE_MS = 1_500
const patient = { timeout: 15_000, interval: 20 }

interface Scene {
  readonly redis: RunningServer
  readonly system: Distributed
  /** Two devices for each user; where their edge is gone they go to the next that lives. */
  readonly roamers: readonly Roamer[]
  /** Edges that may be gone to. */
  readonly open: Set<EdgeProcess>
}

async function scene(edges = 3): Promise<Scene> {
  const redis = await startRedis()
  cleanups.push(() => redis.stop())
  const system = await startDistributed({ redisUrl: redis.url, edges })
  cleanups.push(() => system.stop())
  const open = new Set(system.edges)
  const roamers = Array.from({ length: USERS * 2 }, (_, i) => {
    let turn = i
    const pick = () => [...open][turn++ % Math.max(1, open.size)]
    return startRoamer(system, `user-${i % USERS}`, `device-${i}`, pick)
  })
  cleanups.push(() => Promise.all(roamers.map((roamer) => roamer.stop())))
  await expect.poll(() => roamers.every(({ connected }) => connected), patient).toBe(true)
  return { redis, system, roamers, open }
}

/** Each device goes on saying something in a session of its own until told to stop. */
function chatter(roamers: readonly Roamer[]): { count(): number; stop(): Promise<void> } {
  let over = false
  let said = 0
  const talking = roamers.map(async (roamer) => {
    let sid: string | undefined
    for (let n = 1; !over; n += 1) {
      const accepted = await roamer.say(`hello ${n}`, sid)
      sid = accepted.sid
      said += 1
      // At most eight answers of a session may wait.
      await pause(120)
    }
  })
  return {
    count: () => said,
    async stop() {
      over = true
      await Promise.all(talking)
    },
  }
}

/** Nothing is under way any more: every accepted question has its one end (P5). */
async function rested(system: Distributed, roamers: readonly Roamer[]): Promise<void> {
  const sids = new Set(roamers.flatMap((roamer) => [...roamer.accepted.values()].map(({ sid }) => sid)))
  for (const sid of sids) {
    await expect
      .poll(async () => {
        const { turns } = await system.stored(sid)
        return turns.filter(({ answer }) => answer?.status === 'pending').length
      }, patient)
      .toBe(0)
  }
}

async function metric(edge: EdgeProcess, name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', edge.opsUrl))).text()
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}

describe.skipIf(!there)('the system under faults', () => {
  it('goes on without a gap or a repetition when an edge is killed under load, and its rows stop counting (fault 1)', async () => {
    const { system, roamers, open } = await scene()
    const [victim, other] = system.edges
    if (!victim || !other) throw new Error('there is no edge')
    // A user all of whose places are taken on the edge that dies.
    await Promise.all(Array.from({ length: 10 }, (_, i) => system.device(victim, 'full', `d-${i}`)))
    const talk = chatter(roamers)
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(USERS * 3)
    open.delete(victim)
    victim.process.kill('SIGKILL')
    const died = performance.now()
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
    expect(performance.now() - died).toBeLessThan(LEASE_MS * 2)
    const before = talk.count()
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(before + USERS * 3)
    await talk.stop()
    await rested(system, roamers)
    expect(roamers.filter(({ connections }) => connections > 1).length).toBeGreaterThan(3)
    expect(roamers.filter(({ losses }) => losses > 0)).toEqual([])
    expect(await faultsOf(system, roamers)).toEqual([])
  })

  it('tells every client to come back when an edge is stopped under load, loses nothing, and exits with 0 (P9)', async () => {
    const { system, roamers, open } = await scene()
    const [leaving] = system.edges
    if (!leaving) throw new Error('there is no edge')
    const here = await metric(leaving, 'chatbox_edge_connections')
    expect(here).toBeGreaterThan(3)
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
    expect(await faultsOf(system, roamers)).toEqual([])
  })

  it('keeps its sockets when Redis is killed and comes back empty, tells them, and goes on (fault 7)', async () => {
    const { redis, system, roamers } = await scene()
    const talk = chatter(roamers)
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(USERS * 3)
    await redis.kill()
    await pause(300)
    const again = await startRedis({ port: redis.port, dir: redis.dir })
    cleanups.push(() => again.stop())
    const before = talk.count()
    await expect.poll(() => talk.count(), { ...patient, timeout: 20_000 }).toBeGreaterThan(before + USERS * 3)
    await talk.stop()
    await rested(system, roamers)
    expect(roamers.flatMap(({ ends }) => ends)).toEqual([])
    expect(roamers.filter(({ losses }) => losses > 0).length).toBe(roamers.length)
    expect(await faultsOf(system, roamers)).toEqual([])
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    const rows = async () => {
      const keys = await admin.keys('*:connections')
      return (await Promise.all(keys.map((key) => admin.hlen(key)))).reduce((sum, n) => sum + n, 0)
    }
    await expect.poll(rows, patient).toBe(roamers.length)
    admin.disconnect()
  })

  it('answers within its time while Redis hangs, stays live, says that it is not ready, and recovers by itself (fault 10)', async () => {
    const { redis, system, roamers } = await scene(1)
    const [edge] = system.edges
    const { pid } = redis
    if (!edge || pid === undefined) throw new Error('there is no edge')
    const talk = chatter(roamers)
    await expect.poll(() => talk.count(), patient).toBeGreaterThan(USERS * 2)
    process.kill(pid, 'SIGSTOP')
    try {
      const asked = performance.now()
      const [health, ready] = await Promise.all(
        ['/chat/healthz', '/chat/readyz'].map((path) => fetch(new URL(path, edge.opsUrl))),
      )
      expect([health?.status, ready?.status]).toEqual([200, 503])
      expect(performance.now() - asked).toBeLessThan(2_500)
      const retryable = () => roamers.flatMap(({ errors }) => errors).filter((error) => error.retryable).length
      await expect.poll(retryable, patient).toBeGreaterThan(USERS)
      await expect(system.device(edge, 'newcomer', 'one')).rejects.toThrow(/1013|503/)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    const before = talk.count()
    await expect.poll(() => talk.count(), { ...patient, timeout: 20_000 }).toBeGreaterThan(before + USERS * 2)
    await talk.stop()
    await rested(system, roamers)
    await expect.poll(async () => (await fetch(new URL('/chat/readyz', edge.opsUrl))).status, patient).toBe(200)
    expect(roamers.flatMap(({ errors }) => errors).filter((error) => !error.retryable)).toEqual([])
    expect(await faultsOf(system, roamers)).toEqual([])
  })

  it('misses nothing while subscribers are cut off again and again (P4)', async () => {
    const { redis, system, roamers } = await scene(2)
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
    await expect.poll(() => faultsOf(system, roamers), patient).toEqual([])
    expect(roamers.filter(({ losses }) => losses > 0)).toEqual([])
    expect(roamers.flatMap(({ ends }) => ends)).toEqual([])
  })
})
