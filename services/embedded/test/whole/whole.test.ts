import { available } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import { chatter, cleanUp } from '../distributed/scene.ts'
import { expectDurableWrites, killBetweenAnnouncementAndRemoval, killBetweenWriteAndAnnouncement } from './faults.ts'
import { settled, whole } from './scene.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 60_000, interval: 100 }

describe.skipIf(!there)('edges, storage and workers as processes, over Redis and MongoDB', { timeout: 180_000 }, () => {
  it('have everything once, in order and with its end, though storage is killed at the worst moments (P1, P2)', async () => {
    const all = await whole({ roamers: 8, clockScale: 0.1, patience })
    const talk = chatter(all.roamers)
    await expect.poll(() => talk.count(), patience).toBeGreaterThan(4)
    await killBetweenWriteAndAnnouncement(all)
    await killBetweenAnnouncementAndRemoval(all, patience)
    const before = talk.count()
    await expect.poll(() => talk.count(), patience).toBeGreaterThan(before + 8)
    await talk.stop()
    await settled(all, patience)
    await expect.poll(() => faultsOf(all.system, all.roamers), patience).toEqual([])
    expectDurableWrites(all)
  })
})
