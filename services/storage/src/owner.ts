import { DEFAULT_PARTITIONS, type Lease } from '@chatbox/core'
import type { StorageDeps, StorageTimes } from './deps.ts'
import { type OwnedPartition, ownPartition } from './partition.ts'
import type { SessionStates } from './session-states.ts'

interface Held {
  readonly lease: Lease
  readonly partition: OwnedPartition
}

export interface Owner {
  start(): Promise<void>
  stop(deadline: AbortSignal): Promise<void>
  readonly partitions: number
  readonly underWay: number
}

/** Takes the partitions that are free, keeps their leases, and leaves those it has lost (R6). */
export function owner(deps: StorageDeps, states: SessionStates, times: StorageTimes): Owner {
  const { leases, replica, log } = deps
  const held = new Map<number, Held>()
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()
  let stopping = false
  let count = DEFAULT_PARTITIONS

  function take(lease: Lease): void {
    const partition = ownPartition(deps, lease, states, times)
    held.set(lease.partition, { lease, partition })
    // However it ends by itself, the lease is given up and taken again with a higher generation.
    void partition.ended.then(() => {
      if (held.get(lease.partition)?.lease !== lease || stopping) return
      held.delete(lease.partition)
      states.clear()
      return release(lease)
    })
  }

  const release = (lease: Lease) =>
    leases
      .release(lease)
      .catch((err) => log.warn({ err, partition: lease.partition }, 'a lease was not given back; it will run out'))

  async function renewAll(): Promise<void> {
    await Promise.all(
      [...held.values()].map(async ({ lease, partition }) => {
        if (await leases.renew(lease, times.leaseMs)) return
        log.warn({ partition: lease.partition }, 'somebody else has this partition now')
        held.delete(lease.partition)
        states.clear()
        await partition.stop()
      }),
    )
  }

  async function takeFree(): Promise<void> {
    const free = Array.from({ length: count }, (_, i) => i).filter((partition) => !held.has(partition))
    const taken = await Promise.all(free.map((partition) => leases.acquire(partition, replica, times.leaseMs)))
    for (const lease of taken) if (lease) take(lease)
  }

  const next = () => {
    if (stopping) return
    timer = setTimeout(() => {
      round = renewAll()
        .then(takeFree)
        .catch((err) => log.warn({ err }, 'leases could not be renewed'))
        .finally(next)
    }, times.leaseMs / 3)
  }

  return {
    async start() {
      count = await leases.partitionCount(DEFAULT_PARTITIONS)
      if (count !== DEFAULT_PARTITIONS) {
        throw new Error(
          `The data is laid out in ${count} partitions, and this version works with ${DEFAULT_PARTITIONS}.`,
        )
      }
      await takeFree()
      next()
    },
    async stop(deadline) {
      stopping = true
      clearTimeout(timer)
      await round
      const abandon = () => {
        for (const { partition } of held.values()) partition.abandon(deadline.reason)
      }
      deadline.addEventListener('abort', abandon, { once: true })
      await Promise.all(
        [...held.values()].map(async ({ lease, partition }) => {
          await partition.stop()
          await release(lease)
        }),
      )
      deadline.removeEventListener('abort', abandon)
      held.clear()
    },
    get partitions() {
      return held.size
    },
    get underWay() {
      return [...held.values()].reduce((sum, { partition }) => sum + partition.underWay, 0)
    },
  }
}
