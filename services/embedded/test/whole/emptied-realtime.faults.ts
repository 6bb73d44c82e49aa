import { available } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import { cleanUp, metric, restarted } from '../distributed/scene.ts'
import { type Asked, faultsOfAnswers } from './asked.ts'
import { settled } from './scene.ts'
import { type Stages, staged } from './stages.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 60_000, interval: 50 }

const KILLED: Stages = { 'killed-before-the-first-token': { at: 0 }, 'killed-at-the-third': { at: 3 } }
const STOPPED: Stages = {
  'stopped-before-the-first-token': { at: 0, heirAt: 0 },
  'stopped-at-the-first': { at: 1, heirAt: 1 },
}
const atWork = (fault: string): Stages => ({
  [`${fault}-before-the-first-token`]: { at: 0 },
  [`${fault}-at-the-first`]: { at: 1 },
  [`${fault}-at-the-thirtieth`]: { at: 30 },
  [`${fault}-anthropic`]: { at: 3, vendor: 'anthropic' },
  [`${fault}-dify`]: { at: 3, vendor: 'dify' },
})
const EMPTIED = atWork('emptied')
const RESTARTED = atWork('restarted')

describe.skipIf(!there)('the realtime Redis, emptied in the middle of answers', { timeout: 300_000 }, () => {
  it('costs no answer and no socket: it is written again, whoever was killed is replaced, and who comes back writes nothing (faults 3, 5, 7)', async () => {
    const scene = await staged({ ...KILLED, ...STOPPED, ...EMPTIED, ...RESTARTED }, { patience, clockScale: 0.5 })
    const { all, narrator, toldOf } = scene
    const { roamers, stores, system } = all
    const victim = await scene.busy('victim', KILLED)
    const { wire, env } = await scene.wireToQueue()
    const ghost = await scene.busy('ghost', STOPPED, env)
    const heir = await all.backend.startWorker(narrator.keysOf('heir'))
    const chunksBefore = await metric(ghost, 'chatbox_worker_chunks_total')
    expect(chunksBefore).toBeGreaterThan(0)

    // A connection for each question: the server goes away in between.
    async function asAdmin<T>(ask: (admin: Redis) => Promise<T>): Promise<T> {
      const admin = new Redis({ host: '127.0.0.1', port: stores.realtime.port })
      return ask(admin).finally(() => admin.disconnect())
    }
    const flush = () =>
      asAdmin(async (admin) => {
        expect(await admin.dbsize()).toBeGreaterThan(0)
        await admin.flushall()
      })
    /** Edges write their connections again, in their own time. */
    const registered = () =>
      asAdmin(async (admin) => {
        const rows = await Promise.all((await admin.keys('*:connections')).map((key) => admin.hlen(key)))
        return rows.reduce((sum, n) => sum + n, 0)
      })
    /** In the database: what devices show is the other checks' business. */
    const ended = async (asked: readonly Asked[]): Promise<string[]> => {
      const stored = await Promise.all(asked.map(({ sid }) => system.stored(sid)))
      return stored.flatMap(({ turns }) => turns.map(({ answer }) => answer?.status ?? 'none'))
    }
    const allDone = (asked: readonly Asked[]) => asked.map(() => 'done')
    const toldOnce = (asked: readonly Asked[]) => asked.every(({ name }) => narrator.told(name).length === 1)

    const emptied = await scene.asked(EMPTIED)
    victim.process.kill('SIGKILL')
    ghost.process.kill('SIGSTOP')
    await flush()
    for (const one of emptied) narrator.release(toldOf(one, 1))
    await expect.poll(() => ended(emptied), patience).toEqual(allDone(emptied))

    const restartedOnes = await scene.asked(RESTARTED)
    await stores.realtime.kill()
    for (const one of restartedOnes) narrator.release(toldOf(one, 1))
    await restarted(stores.realtime)
    await expect.poll(() => ended(restartedOnes), patience).toEqual(allDone(restartedOnes))
    expect(toldOnce([...emptied, ...restartedOnes])).toBe(true)
    expect(await metric(heir, 'chatbox_worker_records_rewritten_total')).toBeGreaterThanOrEqual(
      emptied.length + restartedOnes.length,
    )

    const orphans = [...victim.asked, ...ghost.asked]
    const without = () => orphans.flatMap(({ name }) => (narrator.told(name).length < 2 ? [name] : []))
    await expect.poll(without, patience).toEqual([])
    await expect.poll(() => scene.heirsHaveCome(orphans), patience).toBe(true)
    // Neither the store nor the queue can tell the ghost anything, only the database.
    wire.freeze()
    await flush()
    ghost.process.kill('SIGCONT')
    for (const one of ghost.asked) narrator.release(toldOf(one, 1))
    await expect
      .poll(() => metric(ghost, 'chatbox_worker_answers_left_total{reason="superseded"}'), patience)
      .toBe(ghost.asked.length)
    expect(await metric(ghost, 'chatbox_worker_chunks_total')).toBe(chunksBefore)
    wire.thaw()
    for (const one of ghost.asked) narrator.release(toldOf(one, 2))

    await settled(all, patience)
    const everything = [...orphans, ...emptied, ...restartedOnes]
    const faults = await faultsOfAnswers(all, narrator, everything)
    expect(faults).toEqual([])
    expect(orphans.map(({ name }) => narrator.told(name).length)).toEqual(orphans.map(() => 2))
    expect(roamers.flatMap(({ ends }) => ends)).toEqual([])
    // Each was told to load anew.
    expect(roamers.filter(({ losses }) => losses === 0)).toEqual([])
    await expect.poll(() => faultsOf(system, roamers), patience).toEqual([])
    await expect.poll(registered, patience).toBe(roamers.length)
  })
})
