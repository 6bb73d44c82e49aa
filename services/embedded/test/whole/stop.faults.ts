import { available } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import { cleanUp } from '../distributed/scene.ts'
import type { StorageProcess } from './backend.ts'
import { settled, talk, unsettled, whole } from './scene.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 200_000, interval: 100 }

const linesOf = ({ process: running }: StorageProcess) =>
  running
    .output()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))

const insertsOf = ({ wires }: StorageProcess): number =>
  wires.mongo.commands.filter(({ name, body }) => name === 'insert' && body.insert === 'messages').length

describe.skipIf(!there)('storage that is told to stop under load', { timeout: 600_000 }, () => {
  it('ends with 0, and nothing that was accepted is lost, or comes twice (S9)', async () => {
    const all = await whole({ roamers: 20, clockScale: 1, patience, env: { SHUTDOWN_TIMEOUT: '30s' } })
    const talking = talk(all.roamers, 15, 300)
    for (const [i, storage] of [...all.backend.storages].entries()) {
      await expect.poll(() => talking.count(), patience).toBeGreaterThan(60 * (i + 1))
      await expect.poll(() => unsettled(all), patience).toBeGreaterThan(0)
      const before = insertsOf(storage)
      await expect.poll(() => insertsOf(storage), patience).toBeGreaterThan(before)
      storage.process.kill('SIGTERM')
      expect(await storage.process.exited).toEqual({ code: 0, signal: null })
      expect(linesOf(storage).at(-1)).toMatchObject({ msg: 'stop complete', exitCode: 0 })
      await all.backend.startStorage()
    }
    await talking.over
    await settled(all, patience)
    await expect.poll(() => faultsOf(all.system, all.roamers), patience).toEqual([])
  })

  it('says so and ends with 1 when its database hangs for longer than the stop may take; the others go on with its users (S9)', async () => {
    // So many users that a third of the partitions has some of them.
    const all = await whole({ roamers: 40, clockScale: 1, patience })
    const hangs = await all.backend.startStorage({ SHUTDOWN_TIMEOUT: '1s' })
    const shares = async () => [...(await all.backend.leases.replicas()).values()].sort()
    await expect.poll(shares, patience).toEqual([20, 22, 22])
    const talking = talk(all.roamers, 15, 300)
    const { mongo } = hangs.wires
    await expect.poll(() => insertsOf(hangs), patience).toBeGreaterThan(5)
    // The database has written, and from now on nobody hears from it.
    const hanging = new Promise<void>((resolve) => {
      mongo.onReply(({ name, body }) => {
        if (name !== 'insert' || body.insert !== 'messages') return undefined
        mongo.freeze()
        resolve()
        return undefined
      })
    })
    await hanging
    hangs.process.kill('SIGTERM')
    expect(await hangs.process.exited).toEqual({ code: 1, signal: null })
    const lines = linesOf(hangs)
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', part: 'storage', msg: 'forced to stop' }))
    expect(lines.at(-1)).toMatchObject({ msg: 'stop complete', exitCode: 1 })
    // What it had asked for reaches the database late, when others have its partitions.
    await expect.poll(async () => Math.max(...(await shares())), patience).toBe(32)
    mongo.thaw()
    await talking.over
    await settled(all, patience)
    await expect.poll(() => faultsOf(all.system, all.roamers), patience).toEqual([])
  })
})
