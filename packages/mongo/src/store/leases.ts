import { type Lease, type Leases, type ReplicaId, replicaId } from '@chatbox/core'
import type { Document } from 'mongodb'
import { type Access, find, findOne } from '../access.ts'
import { newMark } from '../documents/session.ts'
import { codeOf, DUPLICATE_KEY, NotYet } from '../faults.ts'
import { gather } from '../gather.ts'
import { hintOf, type Query, queries } from '../queries.ts'
import { fieldsOf, number, text } from '../values.ts'

interface Renewal {
  readonly lease: Lease
  readonly ttlMs: number
}

/** @param now the clock, where it is not the server's own */
export function leases(access: Access, now: (() => number) | undefined): Leases {
  const { attempt, collections, limited, settings } = access
  /** In pipelines: the server's clock is one for all replicas, whose own may be minutes apart. */
  const time = (): Document | '$$NOW' => (now ? { $literal: new Date(now()) } : '$$NOW')
  const later = (ms: number): Document => ({ $add: [time(), number(ms)] })

  async function renew(leases: readonly Lease[], ttlMs: number): Promise<boolean[]> {
    const update = [{ $set: { until: later(ttlMs) } }]
    const { matchedCount } = await collections.leases.updateMany(queries.ownLeases(leases).filter, update, limited)
    if (matchedCount === leases.length) return leases.map(() => true)
    // One that is still its owner's has been so all the time: nobody has the same generation again.
    const rows = await find(access, queries.leases(leases.map(({ partition }) => partition)))
    const known = new Map(rows.map((row) => [row._id, row]))
    return leases.map(({ partition, gen, owner }) => {
      const row = known.get(partition)
      return row?.gen === gen && row?.owner === owner
    })
  }

  /** A replica renews all that it owns at once: one command for all of them. */
  const renewal = gather<Renewal, boolean>(
    {
      ...{ what: 'renew leases', ms: settings.gatherMs, size: settings.gatherSize, answerMs: settings.answerMs },
      async run(calls) {
        const outcomes = new Map<Renewal, boolean>()
        for (const ttlMs of new Set(calls.map((call) => call.ttlMs))) {
          const those = calls.filter((call) => call.ttlMs === ttlMs)
          const leases = those.map(({ lease }) => lease)
          const renewed = await attempt('renew leases', () => renew(leases, ttlMs))
          for (const [i, call] of those.entries()) outcomes.set(call, renewed[i] ?? false)
        }
        return calls.map((call) => outcomes.get(call) ?? false)
      },
    },
    access.writes,
  )

  const leasesByOwner = async () => {
    const query = queries.ownedLeases()
    const pipeline = [
      { $match: query.filter },
      { $project: { owner: 1, holds: { $gt: ['$until', time()] } } },
      { $match: { holds: true } },
      { $group: { _id: '$owner', leases: { $sum: 1 } } },
    ]
    const rows = await collections.leases.aggregate(pipeline, { ...hintOf(query), ...limited }).toArray()
    return new Map(rows.map(fieldsOf).map((row) => [row.text('_id'), row.number('leases')]))
  }

  /** Those whose time has run out by the server's clock, or those whose time has not. */
  const replicasWhose = (compared: '$gt' | '$lte'): Query => {
    const query = queries.replicas()
    return { ...query, filter: { ...query.filter, $expr: { [compared]: ['$until', time()] } } }
  }

  return {
    acquire(partition, owner, ttlMs) {
      const mark = newMark()
      const query = queries.lease(partition)
      return attempt('take a partition', async (): Promise<Lease | undefined> => {
        const known = await findOne(access, query)
        if (!known) {
          const made = { $setOnInsert: { gen: number(0) } }
          await ifNotTwice(() => collections.leases.updateOne(query.filter, made, { upsert: true, ...limited }))
        }
        // Each taking raises `gen`, so of all who saw the same one a single one takes it, whatever a server makes of conditions.
        const gen = known ? fieldsOf(known).number('gen') : 0
        const row = await collections.leases.findOneAndUpdate(
          { ...query.filter, gen: number(gen) },
          taken(text(owner), later(ttlMs), time(), mark),
          { returnDocument: 'after', ...limited },
        )
        // Its own mark is there too where the reply to an earlier attempt was lost.
        return row && mark.equals(row.op) ? { partition, owner, gen: fieldsOf(row).number('gen') } : undefined
      })
    },

    renew: (lease, ttlMs) => renewal({ lease, ttlMs }),

    // The row stays, for its `gen` must never fall (R6).
    release: (lease) =>
      attempt('release a lease', async () => {
        await collections.leases.updateOne(
          queries.ownLease(lease).filter,
          { $unset: { owner: '', until: '' } },
          limited,
        )
      }),

    attend: (replica, ttlMs) =>
      attempt('take part', async () => {
        const { filter } = queries.replica(replica)
        const update = [{ $set: { until: later(ttlMs) } }]
        await ifNotTwice(() => collections.replicas.updateOne(filter, update, { upsert: true, ...limited }))
        await collections.replicas.deleteMany(replicasWhose('$lte').filter, limited)
      }),

    leave: (replica) =>
      attempt('leave', async () => {
        await collections.replicas.deleteOne(queries.replica(replica).filter, limited)
      }),

    replicas: () =>
      attempt('count leases', async () => {
        const [there, owned] = await Promise.all([find(access, replicasWhose('$gt')), leasesByOwner()])
        return new Map(
          there.map((row): [ReplicaId, number] => {
            const replica = replicaId(fieldsOf(row).text('_id'))
            return [replica, owned.get(replica) ?? 0]
          }),
        )
      }),

    partitionCount: (wanted) =>
      attempt('read the number of partitions', async () => {
        const query = queries.setting('partitions')
        const known = await findOne(access, query)
        if (known) return fieldsOf(known).number('value')
        await ifNotTwice(() =>
          collections.settings.updateOne(
            query.filter,
            { $setOnInsert: { value: number(wanted) } },
            { upsert: true, ...limited },
          ),
        )
        // Told by what a majority has, for somebody else may have decided.
        const decided = await findOne(access, query)
        if (!decided) throw new NotYet('the number of partitions is not with a majority yet')
        return fieldsOf(decided).number('value')
      }),
  }
}

/** One step: takes the partition if it is free or its time is up, and leaves it as it is if not. */
const taken = (owner: string, until: Document, time: Document | '$$NOW', mark: unknown): Document[] => {
  const ifFree = (value: unknown, old: string) => ({ $cond: ['$free', value, old] })
  return [
    { $set: { free: { $or: [{ $eq: [{ $type: '$owner' }, 'missing'] }, { $lte: ['$until', time] }] } } },
    {
      $set: {
        gen: ifFree({ $add: ['$gen', 1] }, '$gen'),
        owner: ifFree({ $literal: owner }, '$owner'),
        until: ifFree(until, '$until'),
        op: ifFree({ $literal: mark }, '$op'),
      },
    },
    { $unset: 'free' },
  ]
}

/** Two who make the same row at once: the server lets one of them try again. */
async function ifNotTwice<T>(upsert: () => Promise<T>): Promise<T> {
  try {
    return await upsert()
  } catch (error) {
    if (codeOf(error) === DUPLICATE_KEY) throw new NotYet('somebody else has just made this row', { cause: error })
    throw error
  }
}
