import { type SealedNames, type SealedSession, sessionId, type UserId, userId } from '@chatbox/core'
import type { Params, Row } from '../driver.ts'
import { StoreError } from '../errors.ts'
import { columnsOf } from '../row.ts'

export const sessionParams = (session: SealedSession): Params => ({
  sid: session.sid,
  uid: session.uid,
  partition: session.partition,
  key: session.key,
  key_id: session.keyId,
  ...namesParams(session),
  model_id: session.modelId,
  ts: session.ts,
  end_ts: session.endTs ?? null,
  last_activity: session.lastActivity,
  admin_assisted: Number(session.adminAssisted),
  assisting_admin_id: session.assistingAdminId ?? null,
  help_requested: Number(session.helpRequested),
  total_tokens: session.totalTokens,
  total_cost: session.totalCost,
  msg_count: session.msgCount,
  rts: JSON.stringify(session.rts),
  owner_epoch: session.ownerEpoch,
  read_seq: session.readSeq,
  share_hash: session.share?.hash ?? null,
  share_until: session.share?.until ?? null,
  erased: Number(session.erased),
  rev: session.rev,
})

export const namesParams = ({ nm, preview, assistingAdminName }: SealedNames) => ({
  nm: nm ?? null,
  preview: preview ?? null,
  assisting_admin_name: assistingAdminName ?? null,
})

export function sessionOf(row: Row): SealedSession {
  const columns = columnsOf(row)
  return {
    sid: sessionId(columns.text('sid')),
    uid: userId(columns.text('uid')),
    partition: columns.number('partition'),
    key: columns.bytes('key'),
    keyId: columns.text('key_id'),
    ...columns.maybeBytes('nm', 'nm'),
    ...columns.maybeBytes('preview', 'preview'),
    modelId: columns.text('model_id'),
    ts: columns.number('ts'),
    ...columns.maybeNumber('end_ts', 'endTs'),
    lastActivity: columns.number('last_activity'),
    adminAssisted: columns.flag('admin_assisted'),
    ...columns.maybeText<'assistingAdminId', UserId>('assisting_admin_id', 'assistingAdminId'),
    ...columns.maybeBytes('assisting_admin_name', 'assistingAdminName'),
    helpRequested: columns.flag('help_requested'),
    totalTokens: columns.number('total_tokens'),
    totalCost: columns.number('total_cost'),
    msgCount: columns.number('msg_count'),
    rts: numbersOf(columns.text('rts')),
    ownerEpoch: columns.number('owner_epoch'),
    readSeq: columns.number('read_seq'),
    ...(row.share_hash !== null && {
      share: { hash: columns.text('share_hash'), until: columns.number('share_until') },
    }),
    erased: columns.flag('erased'),
    rev: columns.number('rev'),
  }
}

function numbersOf(json: string): number[] {
  const value: unknown = JSON.parse(json)
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value
  throw new StoreError('corrupt', 'The database has something unexpected in the column rts.')
}
