import { type Audit, type AuditEntry, requestId, type SessionId, type UserId } from '@chatbox/core'
import type { Document, ObjectId } from 'mongodb'
import { type Access, find, findOne } from '../access.ts'
import type { Row } from '../collections.ts'
import { newMark } from '../documents/session.ts'
import { StoreError } from '../errors.ts'
import { queries } from '../queries.ts'
import { fieldsOf, storable } from '../values.ts'
import { inserts } from './inserts.ts'

interface NewEntry {
  readonly entry: AuditEntry
  readonly _id: ObjectId
}
type Appended = Awaited<ReturnType<Audit['append']>>

export function audit(access: Access): Audit {
  const { attempt } = access

  const append = inserts<NewEntry, Appended>(access, {
    what: 'record in the audit',
    collection: 'audit',
    keyOf: ({ entry }) => String(entry.partition),
    document: ({ entry, _id }) => entryDocument(entry, _id),
    inserted: 'appended',
    inTheWay: ({ entry }) => queries.auditInTheWay(entry),
    judge: whatHappened,
  })

  return {
    last: (partition) =>
      attempt('read the end of the audit', async () => {
        const row = await findOne(access, queries.lastAudit(partition))
        return row && entryOf(row)
      }),

    append: (entry) => append({ entry, _id: newMark() }),

    read: (partition, after, limit) =>
      attempt('read the audit', async () =>
        (await find(access, queries.auditAfter(partition, after), { limit })).map(entryOf),
      ),
  }
}

/** The reply to this very append may have been lost. Where both are there, the request counts before the place. */
function whatHappened({ entry, _id }: NewEntry, rows: readonly Row[]): Appended {
  if (rows.some((row) => _id.equals(row._id as ObjectId))) return 'appended'
  return rows.some((row) => row.requestId === entry.requestId) ? 'recorded-before' : 'taken'
}

function entryDocument({ detail, ...entry }: AuditEntry, _id: ObjectId): Row {
  const { partition, n, requestId, ts, actor, action, uid, sid, prev, hash } = entry
  const plain = {
    ...{ partition, n, requestId, ts, actor, action, prev, hash },
    ...(uid !== undefined && { uid }),
    ...(sid !== undefined && { sid }),
    // As text: names of fields may mean something to a database.
    ...(detail && { detail: JSON.stringify(detail) }),
  }
  return { _id, ...storable(plain) }
}

function entryOf(document: Document): AuditEntry {
  const fields = fieldsOf(document)
  return {
    partition: fields.number('partition'),
    n: fields.number('n'),
    requestId: requestId(fields.text('requestId')),
    ts: fields.number('ts'),
    actor: fields.text('actor'),
    action: fields.text('action'),
    ...fields.maybeText<'uid', UserId>('uid'),
    ...fields.maybeText<'sid', SessionId>('sid'),
    ...(document.detail !== undefined && { detail: detailOf(fields.text('detail')) }),
    prev: fields.text('prev'),
    hash: fields.text('hash'),
  }
}

type Detail = NonNullable<AuditEntry['detail']>

function detailOf(json: string): Detail {
  const value: unknown = JSON.parse(json)
  if (isDetail(value)) return value
  throw new StoreError('corrupt', 'The database has something unexpected in the field detail.')
}

const isDetail = (value: unknown): value is Detail =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((item) => ['string', 'number', 'boolean'].includes(typeof item))
