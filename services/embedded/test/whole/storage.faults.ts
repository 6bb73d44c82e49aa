import { available } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import { cleanUp } from '../distributed/scene.ts'
import {
  cutReplies,
  emptyTheQueue,
  expectDurableWrites,
  killAtRandom,
  killBetweenAnnouncementAndRemoval,
  killBetweenWriteAndAnnouncement,
  killTheDatabase,
} from './faults.ts'
import { announceAfterTheHandover, killBetweenRenameAndAnnouncement, writeAfterTheHandover } from './handover.ts'
import { faultsOfRows } from './rows.ts'
import { settled, talk, whole } from './scene.ts'
import { toldAfterErasure, witness } from './witness.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 120_000, interval: 250 }
/** For what takes a lease, or some sweeps, and what comes with it. */
const soon = { timeout: 60_000, interval: 250 }

/** For a shorter run, see docs/testing.md. */
const numberFrom = (name: string, usual: number): number => {
  const value = Number(process.env[name] ?? usual)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} must be a whole number`)
  return value
}
const CLIENTS = numberFrom('FAULTS_CLIENTS', 200)
const MESSAGES = numberFrom('FAULTS_MESSAGES', 50)
const PAUSE_MS = numberFrom('FAULTS_PAUSE_MS', 500)
const RANDOM_KILLS = numberFrom('FAULTS_KILLS', 2)

describe.skipIf(!there)('storage, while it is killed, stopped and cut off', { timeout: 1_200_000 }, () => {
  it('loses nothing that it accepted, and has everything once, in order and with its end (faults 6, 8, 15, 31)', async () => {
    // Half of them wait for a place while the other half is being answered.
    const env = { WORKER_CONCURRENCY: String(Math.ceil(CLIENTS / 2)) }
    const all = await whole({ roamers: CLIENTS, clockScale: 1, patience, env })
    const [renamed, written, erased] = await Promise.all([
      witness(all, 'renames', patience),
      witness(all, 'goes-on', patience),
      witness(all, 'erases', patience),
    ])
    let over = false
    // Every fault meets traffic, however few messages there are to be.
    const talking = talk(all.roamers, MESSAGES, PAUSE_MS, () => !over)
    const faults = [
      () => killBetweenWriteAndAnnouncement(all),
      () => killBetweenAnnouncementAndRemoval(all, soon),
      () => cutReplies(all, 20, soon),
      () => killBetweenRenameAndAnnouncement(all, renamed, soon),
      () => writeAfterTheHandover(all, written, soon),
      async () => void (await killTheDatabase(all, 3_000)),
      () => announceAfterTheHandover(all, erased, soon),
      ...Array.from({ length: RANDOM_KILLS }, () => () => killAtRandom(all)),
      () => emptyTheQueue(all, soon),
    ]
    const step = (CLIENTS * MESSAGES) / (faults.length + 1)
    for (const [i, fault] of faults.entries()) {
      await expect.poll(() => talking.count(), { ...patience, timeout: 300_000 }).toBeGreaterThan(step * (i + 1))
      await fault()
    }
    over = true
    await talking.over

    const everybody = { ...all, roamers: [...all.roamers, renamed.roamer, written.roamer] }
    await settled(everybody, patience)
    for (const { asked, accepted } of all.roamers) {
      expect(asked.size).toBeGreaterThanOrEqual(MESSAGES)
      expect([...asked].filter((id) => !accepted.has(id))).toEqual([])
    }
    await expect.poll(() => faultsOf(all.system, everybody.roamers), soon).toEqual([])
    await expect.poll(() => faultsOfRows(all.system, everybody.roamers), soon).toEqual([])
    expect(toldAfterErasure(erased)).toEqual([])
    expectDurableWrites(all)
  })
})
