import { edgeId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { type Build, opener, pass } from '../adapter.ts'
import { someUser } from '../samples.ts'
import { CAP, row, someEdge } from './rows.ts'

const LEASE_MS = 800

export function edgeLifeContract(build: Build<'registry'>): void {
  describe('an edge (S8)', () => {
    const open = opener(build)

    it('is lost to the store until it has made itself known once', async () => {
      const { registry } = await open()
      const edge = edgeId('edge-new')
      expect(await registry.renew(edge)).toBe('lost')
      expect(await registry.renew(edge)).toBe('renewed')
      expect(await registry.renew(edge)).toBe('renewed')
    })

    it('keeps its rows counted by renewing', async () => {
      const store = await open({ edgeLeaseMs: LEASE_MS })
      const [uid, edge] = [someUser(), await someEdge(store.registry)]
      await store.registry.register(row(uid, edge), CAP)
      for (let i = 0; i < 8; i += 1) {
        await pass(store, LEASE_MS / 4)
        expect(await store.registry.renew(edge)).toBe('renewed')
        expect(await store.registry.count(uid)).toBe(1)
      }
    })

    it('that died stops counting when its lease is over: not listed, not counted, no place taken', async () => {
      const store = await open({ edgeLeaseMs: LEASE_MS })
      const { registry } = store
      const [uid, dead, alive] = [someUser(), await someEdge(registry), await someEdge(registry)]
      for (let i = 0; i < 3; i += 1) await registry.register(row(uid, dead), 3)
      for (let i = 0; i < 5; i += 1) {
        await pass(store, LEASE_MS / 4)
        await registry.renew(alive)
      }
      expect(await registry.count(uid)).toBe(0)
      expect(await registry.list(uid)).toEqual([])
      const newcomer = row(uid, alive)
      expect(await registry.register(newcomer, 1)).toEqual({ kind: 'registered', replaced: [], count: 1 })
      expect(await registry.list(uid)).toEqual([newcomer])
    })

    it('that comes back after its lease has lost its rows, and is told to register again', async () => {
      const store = await open({ edgeLeaseMs: LEASE_MS })
      const { registry } = store
      const [uid, edge] = [someUser(), await someEdge(registry)]
      const [stays, gone] = [row(uid, edge), row(uid, edge)]
      for (const one of [stays, gone]) await registry.register(one, CAP)
      await pass(store, LEASE_MS * 1.5)
      expect(await registry.renew(edge)).toBe('lost')
      await registry.register(stays, CAP)
      expect(await registry.list(uid)).toEqual([stays])
      expect(await registry.renew(edge)).toBe('renewed')
    })

    it('that leaves stops counting at once; others stay', async () => {
      const { registry } = await open()
      const [uid, leaving, staying] = [someUser(), await someEdge(registry), await someEdge(registry)]
      const kept = row(uid, staying)
      for (const one of [row(uid, leaving), kept, row(uid, leaving)]) await registry.register(one, 3)
      await registry.leave(leaving)
      await registry.leave(leaving)
      expect(await registry.count(uid)).toBe(1)
      expect(await registry.list(uid)).toEqual([kept])
      expect(await registry.register(row(uid, staying), 2)).toMatchObject({ kind: 'registered', count: 2 })
      expect(await registry.renew(leaving)).toBe('lost')
    })

    it('fills an emptied store again by itself', async () => {
      const { registry, empty } = await open()
      const [uid, one, two] = [someUser(), await someEdge(registry), await someEdge(registry)]
      const rows = [row(uid, one), row(uid, two)]
      for (const each of rows) await registry.register(each, CAP)
      await empty()
      expect(await registry.count(uid)).toBe(0)
      for (const [i, edge] of [one, two].entries()) {
        expect(await registry.renew(edge)).toBe('lost')
        const each = rows[i]
        if (each) await registry.register(each, CAP)
        expect(await registry.renew(edge)).toBe('renewed')
      }
      expect(new Set(await registry.list(uid))).toEqual(new Set(rows))
    })

    it('is told of a loss even if somebody connected to it in between', async () => {
      const { registry, empty } = await open()
      const [uid, edge] = [someUser(), await someEdge(registry)]
      const earlier = row(uid, edge)
      await registry.register(earlier, CAP)
      await empty()
      const newcomer = row(uid, edge)
      expect(await registry.register(newcomer, CAP)).toEqual({ kind: 'registered', replaced: [], count: 1 })
      expect(await registry.renew(edge)).toBe('lost')
      await registry.register(earlier, CAP)
      expect(new Set(await registry.list(uid))).toEqual(new Set([newcomer, earlier]))
    })
  })
}
