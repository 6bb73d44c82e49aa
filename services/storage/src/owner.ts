import { DEFAULT_PARTITIONS, type Lease, Unavailable } from '@chatbox/core'
import type { StorageDeps, StoragePolicy, StorageTimes } from './deps.ts'
import { type OwnedPartition, ownPartition } from './partition.ts'
import type { SessionStates } from './session-states.ts'
import { LostPartition } from './work.ts'

interface Held {
  readonly lease: Lease
  readonly partition: OwnedPartition
  /** It is being left to another replica. */
  leaving?: true
}

export interface Owner {
  start(): Promise<void>
  stop(deadline: AbortSignal): Promise<void>
  readonly partitions: number
  readonly underWay: number
}

/**
 * Takes its share of the partitions, keeps their leases, and leaves those it has lost (R6). Replicas say that they are there, so that one
 * that comes later is given what the others have too much.
 */
export function owner(deps: StorageDeps, states: SessionStates, times: StorageTimes, policy: StoragePolicy): Owner {
  const { leases, replica, log } = deps
  const held = new Map<number, Held>()
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()
  let stopping = false
  let counted = false
  const count = DEFAULT_PARTITIONS

  function take(lease: Lease): void {
    const partition = ownPartition(deps, lease, states, times, policy)
    held.set(lease.partition, { lease, partition })
    // However it ends, the lease is given up; whoever takes it next has a higher generation.
    void partition.ended.then(() => {
      // What was remembered of its sessions, by what was under way at the end too, is somebody else's to change now.
      states.leave(lease.partition)
      if (held.get(lease.partition)?.lease !== lease || stopping) return
      held.delete(lease.partition)
      return release(lease)
    })
  }

  const release = (lease: Lease) =>
    leases
      .release(lease)
      .catch((err) => log.warn({ err, partition: lease.partition }, 'a lease was not given back; it will run out'))

  /** Never waits for what a partition has under way: one that hangs must not cost the others their leases. */
  async function renewAll(): Promise<void> {
    await Promise.all(
      [...held.values()].map(async ({ lease, partition }) => {
        if (await leases.renew(lease, times.leaseMs)) return
        if (held.get(lease.partition)?.lease !== lease) return
        held.delete(lease.partition)
        states.leave(lease.partition)
        partition.abandon(new LostPartition(`partition ${lease.partition} has another owner`))
      }),
    )
  }

  /** Rounded up, so that the shares of all cover everything. */
  async function share(): Promise<number> {
    await leases.attend(replica, times.leaseMs)
    const { size } = await leases.replicas()
    return Math.ceil(count / Math.max(1, size))
  }

  const staying = () => [...held.values()].filter(({ leaving }) => !leaving)

  /** What it has under way may end first, for as long as a lease lasts; its lease is renewed until then. */
  function giveBack(tooMany: number): void {
    for (const given of staying().slice(0, Math.max(0, tooMany))) {
      const { partition } = given
      given.leaving = true
      const limit = setTimeout(
        () => partition.abandon(new LostPartition('it took too long to leave it')),
        times.leaseMs,
      )
      void partition.stop().finally(() => clearTimeout(limit))
    }
  }

  async function takeFree(most: number): Promise<void> {
    const free = Array.from({ length: count }, (_, i) => i).filter((partition) => !held.has(partition))
    // Each replica begins at another place, so that they do not all ask for the same ones.
    const from = Math.floor(Math.random() * free.length)
    const order = [...free.slice(from), ...free.slice(0, from)]
    while (staying().length < most && order.length > 0) {
      const asked = order.splice(0, most - staying().length)
      const taken = await Promise.all(asked.map((partition) => leases.acquire(partition, replica, times.leaseMs)))
      for (const lease of taken) if (lease) take(lease)
    }
  }

  async function checkCount(): Promise<void> {
    if (counted) return
    const laidOut = await leases.partitionCount(count)
    if (laidOut !== count) {
      throw new Error(`The data is laid out in ${laidOut} partitions, and this version works with ${count}.`)
    }
    counted = true
  }

  async function takeShare(): Promise<void> {
    await checkCount()
    const most = await share()
    giveBack(staying().length - most)
    await takeFree(most)
  }

  const next = () => {
    if (stopping) return
    timer = setTimeout(() => {
      round = renewAll()
        .then(takeShare)
        .catch((err) => log.warn({ err }, 'leases could not be renewed'))
        .finally(next)
    }, times.leaseMs / 3)
  }

  return {
    /** A database that is away, or not migrated yet, keeps nobody from starting: partitions are taken when it can be used. */
    async start() {
      try {
        await takeShare()
      } catch (err) {
        if (!(err instanceof Unavailable)) throw err
        log.warn({ err }, 'partitions cannot be taken yet')
      }
      next()
    },
    async stop(deadline) {
      stopping = true
      clearTimeout(timer)
      const abandon = () => {
        for (const { partition } of held.values()) partition.abandon(deadline.reason)
      }
      deadline.addEventListener('abort', abandon, { once: true })
      await round
      // A database that hangs may keep the round until then, and may have given partitions meanwhile.
      if (deadline.aborted) abandon()
      await Promise.all(
        [...held.values()].map(async ({ lease, partition }) => {
          await partition.stop()
          await release(lease)
        }),
      )
      deadline.removeEventListener('abort', abandon)
      held.clear()
      await leases.leave(replica).catch((err) => log.warn({ err }, 'the others learn later that this replica has left'))
    },
    get partitions() {
      return held.size
    },
    get underWay() {
      return [...held.values()].reduce((sum, { partition }) => sum + partition.underWay, 0)
    },
  }
}
