import { type Leases, type ReplicaId, replicaId } from '@chatbox/core'
import { columnsOf } from '../row.ts'
import type { Access } from './access.ts'

export function leases({ statements, read, write, now }: Access): Leases {
  return {
    acquire: (partition, owner, ttlMs) =>
      write(() => {
        const row = statements.acquireLease.one({ partition, owner, until: now() + ttlMs, now: now() })
        return row && { partition, owner, gen: columnsOf(row).number('gen') }
      }),

    renew: ({ partition, gen, owner }, ttlMs) =>
      write(() => statements.renewLease.run({ partition, gen, owner, until: now() + ttlMs }) === 1),

    release: ({ partition, gen, owner }) => write(() => void statements.releaseLease.run({ partition, gen, owner })),

    attend: (replica, ttlMs) =>
      write(() => {
        statements.dropAbsent.run({ now: now() })
        statements.attend.run({ replica, until: now() + ttlMs })
      }),

    leave: (replica) => write(() => void statements.leave.run({ replica })),

    replicas: () =>
      read(() => {
        const counted = statements.replicas.all({ now: now() }).map((row): [ReplicaId, number] => {
          const columns = columnsOf(row)
          return [replicaId(columns.text('replica')), columns.number('leases')]
        })
        return new Map(counted)
      }),

    partitionCount: (wanted) =>
      write(() => {
        statements.insertSetting.run({ name: 'partitions', value: wanted })
        const row = statements.setting.one({ name: 'partitions' })
        return row ? columnsOf(row).number('value') : wanted
      }),
  }
}
