import { setTimeout as pause } from 'node:timers/promises'
import { available, startMongo } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import { cleanUp, later, restarted } from '../distributed/scene.ts'
import type { StorageProcess } from './backend.ts'
import { settled, talk, unsettled, whole } from './scene.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 120_000, interval: 250 }

async function statusOf(storage: StorageProcess, probe: 'healthz' | 'readyz'): Promise<number> {
  const response = await fetch(new URL(`/chat/${probe}`, storage.opsUrl), { signal: AbortSignal.timeout(2_000) })
  return response.status
}

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

  it('tells senders within 5 s while its database is away for 30 s; what it said is so; it recovers by itself (P8)', async () => {
    const all = await whole({ roamers: 8, clockScale: 1, patience })
    const { system, backend, stores } = all
    const before = talk(all.roamers, 3, 100)
    await before.over
    const [edge] = system.edges
    const [storage] = backend.storages
    if (!edge || !storage) throw new Error('something did not start')
    const device = await system.device(edge, 'sender', 'phone')

    await stores.mongo.kill()
    const answered = new Map<string, string>()
    const until = Date.now() + 30_000
    for (let i = 0; Date.now() < until; i += 1) {
      const clientMessageId = `away-${i}`
      const from = performance.now()
      device.send({ type: 'message.send', text: `is anybody there? ${i}`, clientMessageId })
      const error = await device.waitFor('error', (frame) => frame.clientMessageId === clientMessageId)
      expect(performance.now() - from).toBeLessThan(6_000)
      expect(error.retryable).toBe(true)
      answered.set(clientMessageId, error.code)
      expect(await statusOf(storage, 'healthz')).toBe(200)
      expect(await statusOf(storage, 'readyz')).toBe(503)
    }
    expect(answered.size).toBeGreaterThan(4)

    const again = await startMongo({ port: stores.mongo.port, dir: stores.mongo.dir })
    later(() => again.stop())
    await expect.poll(() => statusOf(storage, 'readyz'), patience).toBe(200)
    const after = talk(all.roamers, 3, 100)
    await after.over
    await settled(all, patience)
    // What was on its way has had its time.
    await pause(10_000)
    const stored = new Map<string, number>()
    for (const { sid } of await backend.conversations.listSessions('sender' as never, { limit: 100 })) {
      for (const { cmid } of await backend.conversations.turns(sid, { after: 0, limit: 100 })) {
        if (cmid !== undefined) stored.set(cmid, (stored.get(cmid) ?? 0) + 1)
      }
    }
    for (const [id, code] of answered) {
      expect({ id, code, stored: stored.get(id) ?? 0 }).toMatchObject(
        code === 'expired' ? { stored: 0 } : { stored: expect.toSatisfy((count: number) => count <= 1) },
      )
    }
    await expect.poll(() => faultsOf(system, all.roamers), patience).toEqual([])
  })
})
