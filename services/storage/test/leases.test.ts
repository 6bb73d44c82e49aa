import { type Lease, partitionOf, type ReplicaId, replicaId, sessionId, Unavailable } from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, bench, user } from './fixture.ts'
import { until } from './talk.ts'

const [alice, bob] = [user('alice'), user('bob')]
const partitions = [alice, bob].map((uid) => partitionOf(uid, 64))

let b: Bench
let away = false
afterEach(() => {
  away = false
  return b.close()
})

/** A replica that can tell nobody anything, and has two users' messages under way. */
async function hanging(options: { renews?(lease: Lease): boolean; replicas?(): Map<ReplicaId, number> | undefined }) {
  const renewed: number[] = []
  const released: number[] = []
  const waiting = new Set<string>()
  away = true
  b = await bench({
    times: { leaseMs: 300 },
    wrap: (deps) => ({
      ...deps,
      fabric: {
        ...deps.fabric,
        bus: {
          ...deps.fabric.bus,
          async append(uid, ...args) {
            waiting.add(uid)
            if (away) throw new Unavailable('the log is away')
            return deps.fabric.bus.append(uid, ...args)
          },
        },
      },
      leases: {
        ...deps.leases,
        async renew(lease, ttlMs) {
          if (options.renews?.(lease) === false) return false
          renewed.push(lease.partition)
          return deps.leases.renew(lease, ttlMs)
        },
        async release(lease) {
          released.push(lease.partition)
          return deps.leases.release(lease)
        },
        replicas: async () => options.replicas?.() ?? deps.leases.replicas(),
      },
    }),
  })
  for (const uid of [alice, bob]) void b.say(uid, sessionId(`of-${uid}`), 'hello')
  await until(() => waiting.size === 2, 'both wait for the log')
  return { renewed, released }
}

describe('what a partition has under way', () => {
  it('does not keep the leases of the others from being renewed, when that partition is lost (R6)', async () => {
    let lost = false
    const { renewed } = await hanging({ renews: ({ partition }) => !(lost && partition === partitions[0]) })
    lost = true
    await until(() => b.log.some((line) => line.includes('partition lost')), 'it is known to be lost')
    const before = renewed.length
    await until(() => renewed.length > before + 3 * 62, 'the others were renewed three times')
  })

  it('has the time of a lease to end when its partition is given to another replica, and keeps no lease from being renewed', async () => {
    let more = false
    const many = new Map(Array.from({ length: 64 }, (_, i) => [replicaId(`replica-${i}`), 1]))
    const { renewed, released } = await hanging({ replicas: () => (more ? many : undefined) })
    more = true
    const given = () => new Set(released)
    await until(() => given().size >= 61, 'what has nothing under way is given at once')
    expect(partitions.filter((partition) => renewed.includes(partition))).toEqual(partitions)
    await until(() => given().size === 63, 'what hangs is given too')
    expect(partitions.some((partition) => given().has(partition))).toBe(true)
  })
})
