import { setTimeout as pause } from 'node:timers/promises'
import { available, startMongo } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import { cleanUp, later, restarted } from '../distributed/scene.ts'
import { drained, expectAliveAndUnready, probesOf, sender, storedOf, TOLD_WITHIN_MS } from './absence.ts'
import { statusOf } from './probes.ts'
import { settled, talk, unsettled, type Whole, whole } from './scene.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 120_000, interval: 250 }

describe.skipIf(!there)('the whole system, when a store loses what it has or is away', { timeout: 600_000 }, () => {
  it('ends every accepted question, and counts exactly, though its queue was emptied with work pending (fault 8)', async () => {
    const all = await whole({ roamers: 20, clockScale: 1, patience })
    const talking = talk(all.roamers, 15, 300)
    const queue = new Redis({ host: '127.0.0.1', port: all.stores.queue.port })
    later(async () => queue.disconnect())
    for (const share of [50, 120, 200]) {
      await expect.poll(() => talking.count(), patience).toBeGreaterThan(share)
      expect(await queue.dbsize()).toBeGreaterThan(0)
      await queue.flushall()
    }
    await talking.over
    await settled(all, patience)
    await expect.poll(() => faultsOf(all.system, all.roamers), patience).toEqual([])
  })

  it('ends every accepted question, and counts exactly, though its queue came back as it was two seconds before (fault 7)', async () => {
    const all = await whole({ roamers: 20, clockScale: 1, patience })
    const talking = talk(all.roamers, 20, 300)
    let queue = all.stores.queue
    for (const share of [50, 120, 200]) {
      await expect.poll(() => talking.count(), patience).toBeGreaterThan(share)
      const admin = new Redis({ host: '127.0.0.1', port: queue.port })
      await admin.save()
      admin.disconnect()
      const saved = talking.count()
      await pause(2_000)
      await expect.poll(() => talking.count(), patience).toBeGreaterThan(saved + 5)
      await expect.poll(() => unsettled(all), patience).toBeGreaterThan(0)
      await queue.kill()
      queue = await restarted(queue)
    }
    await talking.over
    await settled(all, patience)
    await expect.poll(() => faultsOf(all.system, all.roamers), patience).toEqual([])
  })

  it('tells senders within 5 s while its database is gone for 30 s; what it said is so; it recovers by itself (P8, O1)', async () => {
    const all = await whole({ roamers: 8, clockScale: 1, patience })
    await throughAbsence(all, {
      awayMs: 30_000,
      leave: () => all.stores.mongo.kill(),
      async comeBack() {
        const again = await startMongo({ port: all.stores.mongo.port, dir: all.stores.mongo.dir })
        later(() => again.stop())
      },
    })
  })

  it('tells them the same while its database takes connections and says nothing, and does late what it was asked (P8, O1)', async () => {
    const all = await whole({ roamers: 8, clockScale: 1, patience })
    const { pid } = all.stores.mongo
    if (pid === undefined) throw new Error('the database is not ours to stop: unset MONGODB_TEST_URI')
    const goOn = async () => void process.kill(pid, 'SIGCONT')
    later(goOn)
    await throughAbsence(all, {
      // Longer than leases last.
      awayMs: 15_000,
      leave: async () => void process.kill(pid, 'SIGSTOP'),
      comeBack: goOn,
    })
  })
})

interface Absence {
  readonly awayMs: number
  leave(): Promise<void>
  comeBack(): Promise<void>
}

async function throughAbsence(all: Whole, { awayMs, leave, comeBack }: Absence): Promise<void> {
  const { system, backend, roamers } = all
  await talk(roamers, 3, 100).over
  const [edge, other] = system.edges
  if (!edge || !other) throw new Error('there are no two edges')
  const senders = await Promise.all([
    ...['new-1', 'new-2'].map((user) => sender(all, edge, user, 'new ones')),
    ...['own-1', 'own-2'].map((user) => sender(all, other, user, 'its own')),
  ])
  await expect.poll(() => unsettled(all), patience).toBe(0)

  const since = performance.now()
  const probes = probesOf(all, since)
  await leave()
  await Promise.all(senders.map((each) => each.sendUntil(since + awayMs)))
  await Promise.all(probes.flatMap(({ liveness, readiness }) => [liveness.stop(), readiness.stop()]))
  for (const { liveness, readiness } of probes) expectAliveAndUnready(liveness, readiness, awayMs)
  const sent = senders.flatMap((each) => each.sent)
  expect(sent.length).toBeGreaterThanOrEqual(senders.length * Math.floor(awayMs / TOLD_WITHIN_MS))
  const first = sent.map(({ words }) => words[0])
  expect([...new Set(first.map((word) => word?.code))]).toEqual(['unavailable'])
  expect(first.every((word) => word?.retryable)).toBe(true)
  expect(Math.max(...first.map((word) => word?.afterMs ?? Infinity))).toBeLessThanOrEqual(TOLD_WITHIN_MS)

  await comeBack()
  for (const storage of backend.storages) await expect.poll(() => statusOf(storage, 'readyz'), patience).toBe(200)
  await talk(roamers, 3, 100).over
  await drained(all, patience)
  await settled(all, patience)
  // Who was told that it is not known may hear more later: that it never was, or the same again.
  const laterWords = sent.flatMap(({ words }) => words.slice(1).map(({ code }) => code))
  expect(laterWords.filter((code) => code !== 'expired' && code !== 'unavailable')).toEqual([])
  for (const { user } of senders) {
    const stored = await storedOf(all, user)
    for (const { clientMessageId, words } of sent.filter((one) => one.user === user)) {
      const most = words.some(({ code }) => code === 'expired') ? 0 : 1
      expect({ clientMessageId, words, stored: stored.get(clientMessageId) ?? 0 }).toMatchObject({
        stored: expect.toSatisfy((count: number) => count <= most),
      })
    }
    expect(stored.get(`${user}-before`)).toBe(1)
  }
  await expect.poll(() => faultsOf(system, roamers), patience).toEqual([])
}
