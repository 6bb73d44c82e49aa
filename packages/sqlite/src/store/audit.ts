import { type Audit, type AuditEntry, requestId, type SessionId, type UserId } from '@chatbox/core'
import type { Row } from '../driver.ts'
import { StoreError } from '../errors.ts'
import { columnsOf } from '../row.ts'
import type { Access } from './access.ts'

export function audit({ statements, read, write }: Access): Audit {
  return {
    last: (partition) =>
      read(() => {
        const row = statements.lastAudit.one({ partition })
        return row && entryOf(row)
      }),

    append: (entry) =>
      write(() => {
        const { partition, requestId: request_id } = entry
        if (statements.auditOfRequest.one({ partition, request_id })) return 'recorded-before'
        return statements.insertAudit.run(paramsOf(entry)) === 1 ? 'appended' : 'taken'
      }),

    read: (partition, after, limit) => read(() => statements.auditAfter.all({ partition, after, limit }).map(entryOf)),
  }
}

const paramsOf = ({ requestId: request_id, uid, sid, detail, ...rest }: AuditEntry) => ({
  ...rest,
  ...{ request_id, uid: uid ?? null, sid: sid ?? null, detail: detail ? JSON.stringify(detail) : null },
})

function entryOf(row: Row): AuditEntry {
  const columns = columnsOf(row)
  return {
    partition: columns.number('partition'),
    n: columns.number('n'),
    requestId: requestId(columns.text('request_id')),
    ts: columns.number('ts'),
    actor: columns.text('actor'),
    action: columns.text('action'),
    ...columns.maybeText<'uid', UserId>('uid', 'uid'),
    ...columns.maybeText<'sid', SessionId>('sid', 'sid'),
    ...(row.detail !== null && { detail: detailOf(columns.text('detail')) }),
    prev: columns.text('prev'),
    hash: columns.text('hash'),
  }
}

type Detail = NonNullable<AuditEntry['detail']>

function detailOf(json: string): Detail {
  const value: unknown = JSON.parse(json)
  if (isDetail(value)) return value
  throw new StoreError('corrupt', 'The database has something unexpected in the column detail.')
}

const isDetail = (value: unknown): value is Detail =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((item) => ['string', 'number', 'boolean'].includes(typeof item))
