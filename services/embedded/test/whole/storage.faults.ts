import { available } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import { cleanUp } from '../distributed/scene.ts'
import {
  cutReplies,
  expectDurableWrites,
  killAtRandom,
  killBetweenAnnouncementAndRemoval,
  killBetweenWriteAndAnnouncement,
  killTheDatabase,
  stopPastItsLease,
} from './faults.ts'
import { settled, talk, whole } from './scene.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 120_000, interval: 250 }
const CLIENTS = 200
const MESSAGES = 50

describe.skipIf(!there)('storage, while it is killed, stopped and cut off', { timeout: 1_200_000 }, () => {
  it('loses nothing that it accepted, and has everything once, in order and with its end (faults 6, 15, 31)', async () => {
    const all = await whole({ roamers: CLIENTS, clockScale: 1, patience, env: { WORKER_CONCURRENCY: '100' } })
    const talking = talk(all.roamers, MESSAGES, 500)
    const faults = [
      () => killBetweenWriteAndAnnouncement(all),
      () => killBetweenAnnouncementAndRemoval(all, patience),
      () => cutReplies(all, 20, patience),
      () => killAtRandom(all),
      () => stopPastItsLease(all, patience),
      async () => void (await killTheDatabase(all, 3_000)),
      () => killAtRandom(all),
      () => killBetweenWriteAndAnnouncement(all),
      () => killBetweenAnnouncementAndRemoval(all, patience),
    ]
    const step = (CLIENTS * MESSAGES) / (faults.length + 2)
    for (const [i, fault] of faults.entries()) {
      await expect.poll(() => talking.count(), { ...patience, timeout: 300_000 }).toBeGreaterThan(step * (i + 1))
      await fault()
    }
    await talking.over
    await settled(all, patience)
    for (const { asked, accepted } of all.roamers) {
      expect(asked.size).toBe(MESSAGES)
      expect([...asked].filter((id) => !accepted.has(id))).toEqual([])
    }
    await expect.poll(() => faultsOf(all.system, all.roamers), patience).toEqual([])
    expectDurableWrites(all)
  })
})
