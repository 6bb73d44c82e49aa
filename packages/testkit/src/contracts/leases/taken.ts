import { type Lease, type Leases, replicaId } from '@chatbox/core'

export const TTL_MS = 1_000
export const [ada, ben] = [replicaId('replica-ada'), replicaId('replica-ben')]

export async function taken(leases: Leases, partition: number, owner = ada): Promise<Lease> {
  const lease = await leases.acquire(partition, owner, TTL_MS)
  if (!lease) throw new Error(`partition ${partition} is not free`)
  return lease
}
