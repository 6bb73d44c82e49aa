import { replicaId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import type { LeasesStore } from '../leases.ts'
import { ada, ben, TTL_MS, taken } from './taken.ts'

/** Who takes part, which a fair share is reckoned by. */
export function replicasContract(opened: () => Promise<LeasesStore>): void {
  describe('the replicas', () => {
    it('are nobody at first, and with whoever says so, partitions or not', async () => {
      const { leases } = await opened()
      expect(await leases.replicas()).toEqual(new Map())
      await leases.attend(ada, TTL_MS)
      expect(await leases.replicas()).toEqual(new Map([[ada, 0]]))
      await leases.attend(ben, TTL_MS)
      await leases.attend(ada, TTL_MS)
      expect(await leases.replicas()).toEqual(
        new Map([
          [ada, 0],
          [ben, 0],
        ]),
      )
    })

    it('are told with how many partitions each has whose leases have not run out', async () => {
      const { leases, pass } = await opened()
      for (const replica of [ada, ben]) await leases.attend(replica, TTL_MS * 4)
      const first = await taken(leases, 1)
      await taken(leases, 2)
      await taken(leases, 3, ben)
      expect([...(await leases.replicas()).entries()].sort()).toEqual([
        [ada, 2],
        [ben, 1],
      ])
      await leases.release(first)
      expect((await leases.replicas()).get(ada)).toBe(1)
      await pass(TTL_MS * 2)
      await taken(leases, 4, ben)
      expect([...(await leases.replicas()).entries()].sort()).toEqual([
        [ada, 0],
        [ben, 1],
      ])
    })

    it('are those alone who said so and whose time has not run out, whatever they still own', async () => {
      const { leases, pass } = await opened()
      await taken(leases, 1)
      expect(await leases.replicas()).toEqual(new Map())
      await leases.attend(ada, TTL_MS)
      await leases.attend(ben, TTL_MS * 4)
      await pass(TTL_MS * 2)
      expect(await leases.replicas()).toEqual(new Map([[ben, 0]]))
      await leases.attend(ada, TTL_MS)
      expect([...(await leases.replicas()).keys()].sort()).toEqual([ada, ben])
    })

    it('take part for as long as they say so again', async () => {
      const { leases, pass } = await opened()
      for (let round = 0; round < 4; round += 1) {
        await leases.attend(ada, TTL_MS)
        await pass(TTL_MS / 2)
        expect(await leases.replicas()).toEqual(new Map([[ada, 0]]))
      }
    })

    it('are without one who left, at once and harmlessly often, and its partitions stay owned', async () => {
      const { leases } = await opened()
      await leases.attend(ada, TTL_MS)
      await leases.attend(ben, TTL_MS)
      await taken(leases, 1)
      for (let time = 0; time < 2; time += 1) {
        await leases.leave(ada)
        expect(await leases.replicas()).toEqual(new Map([[ben, 0]]))
      }
      expect(await leases.acquire(1, ben, TTL_MS)).toBeUndefined()
    })

    it('may be 20 who say so at once, each several times', async () => {
      const { leases } = await opened()
      const all = Array.from({ length: 20 }, (_, i) => replicaId(`replica-${i}`))
      await Promise.all([...all, ...all, ...all].map((replica) => leases.attend(replica, TTL_MS)))
      expect([...(await leases.replicas()).keys()].sort()).toEqual([...all].sort())
    })

    it('are known to whoever comes later', async () => {
      const store = await opened()
      await store.leases.attend(ada, TTL_MS * 60)
      await store.leases.acquire(5, ada, TTL_MS * 60)
      expect(await (await store.again()).replicas()).toEqual(new Map([[ada, 1]]))
    })
  })
}
