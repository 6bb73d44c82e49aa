import type { ReplicaId } from '../ids.ts'

export interface Lease {
  readonly partition: number
  /** Rises with each new owner and never falls (R6). */
  readonly gen: number
  readonly owner: ReplicaId
}

/** Who owns which partition, in the database. */
export interface Leases {
  /** Takes the partition if it is free, or the lease of its owner has run out. */
  acquire(partition: number, owner: ReplicaId, ttlMs: number): Promise<Lease | undefined>
  /** False if somebody else has it. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>
  release(lease: Lease): Promise<void>
  /** Says that this replica takes part, for so long; whoever it is may have no partition yet. */
  attend(replica: ReplicaId, ttlMs: number): Promise<void>
  leave(replica: ReplicaId): Promise<void>
  /** Those who take part, and how many partitions each has whose leases have not run out. */
  replicas(): Promise<ReadonlyMap<ReplicaId, number>>
  /** The number of partitions the data was laid out by; the first caller decides (R6). */
  partitionCount(wanted: number): Promise<number>
}
