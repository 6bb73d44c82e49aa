import type { AuditEntry, Lease, ReplicaId, UserId } from '@chatbox/core'
import { number, text } from '../values.ts'
import type { Query } from './query.ts'

/** Of leases, replicas, settings, disabled users and the audit trail. */
export const otherQueries = {
  lease: (partition: number): Query => ({ collection: 'leases', filter: { _id: number(partition) }, by: '_id_' }),
  ownLease: ({ partition, gen, owner }: Lease): Query => ({
    collection: 'leases',
    filter: { _id: number(partition), gen: number(gen), owner: text(owner) },
    by: '_id_',
  }),
  leases: (partitions: readonly number[]): Query => ({
    collection: 'leases',
    filter: { _id: { $in: partitions.map(number) } },
    by: '_id_',
  }),
  /** Those of these leases that are still somebody's own. */
  ownLeases: (leases: readonly Lease[]): Query => ({
    collection: 'leases',
    filter: {
      _id: { $in: leases.map(({ partition }) => number(partition)) },
      $or: leases.map((lease) => otherQueries.ownLease(lease).filter),
    },
    by: '_id_',
  }),
  ownedLeases: (): Query => ({ collection: 'leases', filter: { owner: { $gt: '' } }, by: 'idx_owner' }),
  replica: (replica: ReplicaId): Query => ({ collection: 'replicas', filter: { _id: text(replica) }, by: '_id_' }),
  replicas: (): Query => ({ collection: 'replicas', filter: { _id: { $gt: '' } }, by: '_id_' }),
  setting: (name: string): Query => ({ collection: 'settings', filter: { _id: text(name) }, by: '_id_' }),
  disabledUser: (uid: UserId): Query => ({ collection: 'disabledUsers', filter: { _id: text(uid) }, by: '_id_' }),
  disabledUsers: (): Query => ({
    collection: 'disabledUsers',
    filter: { _id: { $gt: '' } },
    sort: { _id: 1 },
    by: '_id_',
  }),

  lastAudit: (partition: number): Query => ({
    collection: 'audit',
    filter: { partition: number(partition) },
    sort: { n: -1 },
    by: 'idx_partition_n',
  }),
  auditAfter: (partition: number, after: number): Query => ({
    collection: 'audit',
    filter: { partition: number(partition), n: { $gt: number(after) } },
    sort: { n: 1 },
    by: 'idx_partition_n',
  }),
  /** What an entry can have met. */
  auditInTheWay: ({ partition, n, requestId }: Pick<AuditEntry, 'partition' | 'n' | 'requestId'>): Query => ({
    collection: 'audit',
    filter: {
      $or: [
        { partition: number(partition), n: number(n) },
        { partition: number(partition), requestId: text(requestId) },
      ],
    },
    by: ['idx_partition_n', 'idx_partition_request'],
  }),
} as const
