import { replicaId } from '@chatbox/core'
import { leasesContract } from '@chatbox/testkit/contracts'
import { expect, it, onTestFinished, vi } from 'vitest'
import { asked, onMongo, openedOn, reopenedOn } from './support/server.ts'

await onMongo('on a server', (server) => {
  let time = 1_700_000_000_000
  const open = reopenedOn(server, { now: () => time })
  leasesContract('MongoDB', async () => {
    const { mongo, later, close } = await open()
    return {
      leases: mongo.leases,
      async pass(ms) {
        time += ms
      },
      again: async () => later().leases,
      close,
    }
  })

  it('go by the clock of the server, whatever the clocks of replicas say', async () => {
    const { mongo, database, close } = await openedOn(server())
    onTestFinished(close)
    const { leases } = mongo
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
    onTestFinished(() => void vi.useRealTimers())
    const [ada, ben] = [replicaId('ada'), replicaId('ben')]
    expect(await leases.acquire(1, ada, 60_000)).toEqual({ partition: 1, owner: ada, gen: 1 })
    expect(await leases.acquire(1, ben, 60_000)).toBeUndefined()
    await leases.attend(ada, 60_000)
    await leases.attend(ben, 60_000)
    expect(await leases.replicas()).toEqual(
      new Map([
        [ada, 1],
        [ben, 0],
      ]),
    )

    const short = await leases.acquire(2, ada, 200)
    expect(short).toBeDefined()
    await expect.poll(() => leases.acquire(2, ben, 60_000), { timeout: 10_000 }).toMatchObject({ owner: ben, gen: 2 })
    expect(await leases.replicas()).toEqual(
      new Map([
        [ada, 1],
        [ben, 1],
      ]),
    )
    expect(short && (await leases.renew(short, 200))).toBe(false)

    await leases.attend(ada, 200)
    await expect.poll(() => leases.replicas(), { timeout: 10_000 }).toEqual(new Map([[ben, 1]]))
    // What has run out is not kept for ever either.
    await leases.attend(ben, 60_000)
    const kept = await asked(server().url, (client) => client.db(database).collection('replicas').find().toArray())
    expect(kept.map(({ _id }) => String(_id))).toEqual(['ben'])
  })
})
