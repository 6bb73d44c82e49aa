import { type Leases, replicaId } from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { replicasContract } from './leases/replicas.ts'
import { ada, ben, TTL_MS, taken } from './leases/taken.ts'

export interface LeasesStore {
  readonly leases: Leases
  /** Lets time pass for the store. */
  pass(ms: number): Promise<void>
  /** The store as somebody finds it who comes later: after a restart, or from another process. */
  again(): Promise<Leases>
  close(): Promise<void>
}

/** Everything that holds for Leases, whatever keeps them. Builds a store for each test, and closes it. */
export function leasesContract(name: string, build: () => Promise<LeasesStore>): void {
  describe(`Leases on ${name}`, () => {
    const open: LeasesStore[] = []
    afterEach(async () => {
      await Promise.all(open.splice(0).map((store) => store.close()))
    })
    const opened = async (): Promise<LeasesStore> => {
      const store = await build()
      open.push(store)
      return store
    }
    ownershipContract(opened)
    generationContract(opened)
    replicasContract(opened)
    countContract(opened)
  })
}

function ownershipContract(opened: () => Promise<LeasesStore>): void {
  describe('a partition', () => {
    it('that is free is taken by whoever asks', async () => {
      const { leases } = await opened()
      const lease = await taken(leases, 7)
      expect(lease).toEqual({ partition: 7, owner: ada, gen: lease.gen })
      expect(lease.gen).toBeGreaterThan(0)
    })

    it('that is owned is refused until the lease has run out, to its owner too', async () => {
      const { leases, pass } = await opened()
      await taken(leases, 1)
      await pass(TTL_MS / 2)
      for (const owner of [ben, ada]) expect(await leases.acquire(1, owner, TTL_MS)).toBeUndefined()
      await pass(TTL_MS)
      expect((await taken(leases, 1, ben)).owner).toBe(ben)
    })

    it('goes to one of 20 who ask at once, free or run out', async () => {
      const { leases, pass } = await opened()
      for (let round = 0; round < 2; round += 1) {
        const asking = Array.from({ length: 20 }, (_, i) => leases.acquire(3, replicaId(`replica-${i}`), TTL_MS))
        expect((await Promise.all(asking)).filter(Boolean)).toHaveLength(1)
        await pass(TTL_MS * 2)
      }
    })

    it('stays with an owner who renews', async () => {
      const { leases, pass } = await opened()
      const lease = await taken(leases, 1)
      for (let round = 0; round < 4; round += 1) {
        await pass(TTL_MS / 2)
        expect(await leases.renew(lease, TTL_MS)).toBe(true)
        expect(await leases.acquire(1, ben, TTL_MS)).toBeUndefined()
      }
    })

    it('whose lease has run out is its owner’s again by a renewal, if nobody has taken it', async () => {
      const { leases, pass } = await opened()
      const lease = await taken(leases, 1)
      await pass(TTL_MS * 2)
      expect(await leases.renew(lease, TTL_MS)).toBe(true)
      expect(await leases.acquire(1, ben, TTL_MS)).toBeUndefined()
    })

    it('that somebody else has is neither renewed nor released by the owner before', async () => {
      const { leases, pass } = await opened()
      const lost = await taken(leases, 1)
      await pass(TTL_MS * 2)
      const lease = await taken(leases, 1, ben)
      expect(await leases.renew(lost, TTL_MS)).toBe(false)
      await leases.release(lost)
      expect(await leases.acquire(1, ada, TTL_MS)).toBeUndefined()
      expect(await leases.renew(lease, TTL_MS)).toBe(true)
    })

    it('that the same owner took anew is not renewed or released by its own earlier lease', async () => {
      const { leases, pass } = await opened()
      const earlier = await taken(leases, 1)
      await pass(TTL_MS * 2)
      await taken(leases, 1)
      expect(await leases.renew(earlier, TTL_MS)).toBe(false)
      await leases.release(earlier)
      expect(await leases.acquire(1, ben, TTL_MS)).toBeUndefined()
    })

    it('that was released is free at once, and not renewed any more; a second release is harmless', async () => {
      const { leases } = await opened()
      const lease = await taken(leases, 1)
      await leases.release(lease)
      await leases.release(lease)
      expect(await leases.renew(lease, TTL_MS)).toBe(false)
      const next = await taken(leases, 1, ben)
      await leases.release(lease)
      expect(await leases.renew(next, TTL_MS)).toBe(true)
    })

    it('is independent of the others', async () => {
      const { leases } = await opened()
      const one = await taken(leases, 1)
      await taken(leases, 2, ben)
      await leases.release(one)
      expect(await leases.acquire(2, ada, TTL_MS)).toBeUndefined()
      expect((await taken(leases, 1, ben)).owner).toBe(ben)
    })
  })
}

function generationContract(opened: () => Promise<LeasesStore>): void {
  describe('the generation of a partition (R6)', () => {
    it('rises with each new owner, by release, by running out and over a restart, and never falls', async () => {
      const store = await opened()
      const gens: number[] = []
      for (let round = 0; round < 3; round += 1) {
        const released = await taken(store.leases, 1)
        await store.leases.release(released)
        const ranOut = await taken(store.leases, 1, ben)
        await store.pass(TTL_MS * 2)
        gens.push(released.gen, ranOut.gen)
      }
      const later = await store.again()
      const last = await taken(later, 1)
      gens.push(last.gen)
      for (const [i, gen] of gens.entries()) if (i > 0) expect(gen).toBeGreaterThan(gens[i - 1] ?? gen)
    })

    it('stays when the owner renews', async () => {
      const { leases, pass } = await opened()
      const lease = await taken(leases, 1)
      await leases.renew(lease, TTL_MS)
      await pass(TTL_MS / 2)
      expect(await leases.renew(lease, TTL_MS)).toBe(true)
      await leases.release(lease)
      expect((await taken(leases, 1)).gen).toBe(lease.gen + 1)
    })

    it('is known to whoever comes later, and so is a lease that has not run out', async () => {
      const store = await opened()
      const lease = await taken(store.leases, 5)
      const later = await store.again()
      expect(await later.acquire(5, ben, TTL_MS)).toBeUndefined()
      expect(await later.renew(lease, TTL_MS)).toBe(true)
    })
  })
}

function countContract(opened: () => Promise<LeasesStore>): void {
  describe('the number of partitions', () => {
    it('is decided by the first who asks, for good', async () => {
      const store = await opened()
      expect(await store.leases.partitionCount(64)).toBe(64)
      expect(await store.leases.partitionCount(128)).toBe(64)
      expect(await (await store.again()).partitionCount(32)).toBe(64)
    })

    it('is one number for all of 20 who ask at once', async () => {
      const { leases } = await opened()
      const counts = await Promise.all(Array.from({ length: 20 }, (_, i) => leases.partitionCount(i + 1)))
      expect(new Set(counts).size).toBe(1)
      expect(await leases.partitionCount(999)).toBe(counts[0])
    })
  })
}
