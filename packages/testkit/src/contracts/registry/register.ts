import { describe, expect, it } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { someUser } from '../samples.ts'
import { CAP, connectionsOf, row, someEdge } from './rows.ts'

export function registerContract(build: Build<'registry'>): void {
  describe('register', () => {
    const open = opener(build)

    it('lists and counts a user’s connections over all edges, and nobody else’s (S2)', async () => {
      const { registry } = await open()
      const [uid, other] = [someUser(), someUser()]
      const rows = [row(uid, await someEdge(registry)), row(uid, await someEdge(registry))]
      expect(await registry.list(uid)).toEqual([])
      for (const [i, one] of rows.entries()) {
        expect(await registry.register(one, CAP)).toEqual({ kind: 'registered', replaced: [], count: i + 1 })
      }
      await registry.register(row(other, await someEdge(registry)), CAP)
      expect(await registry.count(uid)).toBe(2)
      expect(new Set(await registry.list(uid))).toEqual(new Set(rows))
    })

    it('is harmless for a connection that is there already, at the cap too, and if that was lowered', async () => {
      const { registry } = await open()
      const [uid, edge] = [someUser(), await someEdge(registry)]
      const [one, two] = [row(uid, edge), row(uid, edge)]
      for (const each of [one, two]) await registry.register(each, 2)
      for (let i = 0; i < 3; i += 1) {
        expect(await registry.register(one, 2)).toEqual({ kind: 'registered', replaced: [], count: 2 })
      }
      expect(await registry.register(one, 1)).toMatchObject({ kind: 'registered' })
      expect(new Set(await registry.list(uid))).toEqual(new Set([one, two]))
    })

    it('replaces the earlier connection of the same device, on whichever edge, and no other (S4)', async () => {
      const { registry } = await open()
      const uid = someUser()
      const old = row(uid, await someEdge(registry), 'phone')
      const other = row(uid, await someEdge(registry), 'laptop')
      const stranger = row(someUser(), await someEdge(registry), 'phone')
      for (const one of [old, other, stranger]) await registry.register(one, CAP)
      const newcomer = row(uid, await someEdge(registry), 'phone')
      expect(await registry.register(newcomer, CAP)).toEqual({ kind: 'registered', replaced: [old], count: 2 })
      expect(new Set(await registry.list(uid))).toEqual(new Set([other, newcomer]))
      expect(await registry.count(stranger.uid)).toBe(1)

      await registry.unregister(old)
      expect(await registry.count(uid)).toBe(2)
    })

    it('replaces at the cap: the same device takes its own place', async () => {
      const { registry } = await open()
      const [uid, edge] = [someUser(), await someEdge(registry)]
      for (let i = 0; i < CAP; i += 1) await registry.register(row(uid, edge, `device-${i}`), CAP)
      expect(await registry.register(row(uid, edge, 'device-3'), CAP)).toMatchObject({ kind: 'registered', count: CAP })
      expect(await registry.register(row(uid, edge, 'device-new'), CAP)).toMatchObject({ kind: 'refused' })
    })

    it('refuses above the cap, names the others, and changes nothing (S3)', async () => {
      const { registry } = await open()
      const [uid, edge] = [someUser(), await someEdge(registry)]
      const rows = [row(uid, edge), row(uid, edge), row(uid, edge)]
      for (const one of rows) await registry.register(one, 3)
      const newcomer = row(uid, await someEdge(registry))
      const refused = await registry.register(newcomer, 3)
      expect(refused.kind).toBe('refused')
      expect(refused.kind === 'refused' && new Set(refused.others)).toEqual(new Set(rows))
      expect(new Set(await registry.list(uid))).toEqual(new Set(rows))

      await registry.unregister({ uid, connectionId: rows[0]?.connectionId ?? newcomer.connectionId })
      expect(await registry.register(newcomer, 3)).toEqual({ kind: 'registered', replaced: [], count: 3 })
    })

    it('admits exactly the cap of two hundred that come at once over several edges (S3)', async () => {
      const { registry } = await open()
      const uid = someUser()
      const edges = await Promise.all(Array.from({ length: 3 }, () => someEdge(registry)))
      const outcomes = await Promise.all(
        Array.from({ length: 200 }, (_, i) => {
          const edge = edges[i % edges.length]
          if (!edge) throw new Error('no edge')
          return registry.register(row(uid, edge), CAP)
        }),
      )
      expect(outcomes.filter(({ kind }) => kind === 'registered')).toHaveLength(CAP)
      expect(await registry.count(uid)).toBe(CAP)
      expect(await registry.list(uid)).toHaveLength(CAP)
    })

    it('leaves one of two hundred connections of one device that come at once; each other was replaced once (S4)', async () => {
      const { registry } = await open()
      const [uid, edge] = [someUser(), await someEdge(registry)]
      const rows = Array.from({ length: 200 }, () => row(uid, edge, 'phone'))
      const outcomes = await Promise.all(rows.map((one) => registry.register(one, CAP)))
      const replaced = outcomes.flatMap((outcome) => (outcome.kind === 'registered' ? outcome.replaced : []))
      const left = await connectionsOf(registry, uid)
      expect(left).toHaveLength(1)
      const seen = [...replaced.map(({ connectionId }) => connectionId), ...left]
      expect(seen).toHaveLength(200)
      expect(new Set(seen)).toEqual(new Set(rows.map(({ connectionId }) => connectionId)))
    })
  })

  describe('unregister', () => {
    const open = opener(build)

    it('takes one connection out, may be repeated, and is harmless for one that is not there', async () => {
      const { registry } = await open()
      const [uid, edge] = [someUser(), await someEdge(registry)]
      const [one, two] = [row(uid, edge), row(uid, edge)]
      for (const each of [one, two]) await registry.register(each, CAP)
      await registry.unregister(one)
      await registry.unregister(one)
      await registry.unregister(row(uid, edge))
      await registry.unregister(row(someUser(), edge))
      expect(await registry.list(uid)).toEqual([two])
    })
  })
}
