import { type SealedSession, type SessionChange, sessionId, type UserId, userId } from '@chatbox/core'
import { type Document, ObjectId, type UpdateFilter } from 'mongodb'
import type { Row } from '../collections.ts'
import { binary, fieldsOf, storable } from '../values.ts'

/** `op` names the last change, so that whoever lost the reply to his own finds it again. */
export const sessionDocument = (session: SealedSession, op: ObjectId): Row => {
  const { sid, key, ...rest } = session
  return { _id: sid, key: binary(key), op, ...storable(stored(rest)) }
}

/** What a compare-and-set on `rev` writes. A field that is there and undefined goes. */
export function sessionUpdate(rev: number, change: SessionChange<Uint8Array>, op: ObjectId): UpdateFilter<Row> {
  const gone = Object.entries(change).filter(([, value]) => value === undefined)
  return {
    $set: { ...storable(stored(change)), rev: rev + 1, op },
    ...(gone.length > 0 && { $unset: Object.fromEntries(gone.map(([name]) => [name, ''])) }),
  }
}

export function sessionOf(document: Document): SealedSession {
  const fields = fieldsOf(document)
  return {
    sid: sessionId(fields.text('_id')),
    uid: userId(fields.text('uid')),
    partition: fields.number('partition'),
    key: fields.bytes('key'),
    ...fields.maybeBytes('nm'),
    modelId: fields.text('modelId'),
    ts: fields.number('ts'),
    ...fields.maybeNumber('endTs'),
    lastActivity: fields.number('lastActivity'),
    adminAssisted: fields.flag('adminAssisted'),
    ...fields.maybeText<'assistingAdminId', UserId>('assistingAdminId'),
    ...fields.maybeBytes('assistingAdminName'),
    helpRequested: fields.flag('helpRequested'),
    totalTokens: fields.number('totalTokens'),
    msgCount: fields.number('msgCount'),
    rts: fields.numbers('rts'),
    ownerEpoch: fields.number('ownerEpoch'),
    readSeq: fields.number('readSeq'),
    erased: fields.flag('erased'),
    rev: fields.number('rev'),
  }
}

/** Field by field, so that nothing gets into a document that is no field of it. */
function stored(session: SessionChange<Uint8Array> & Partial<SealedSession>): Document {
  const { nm, assistingAdminName, rts } = session
  return {
    ...pick(session, PLAIN),
    ...(nm !== undefined && { nm: binary(nm) }),
    ...(assistingAdminName !== undefined && { assistingAdminName: binary(assistingAdminName) }),
    ...(rts !== undefined && { rts: [...rts] }),
  }
}

const PLAIN = [
  'uid',
  'partition',
  'modelId',
  'ts',
  'endTs',
  'lastActivity',
  'adminAssisted',
  'assistingAdminId',
  'helpRequested',
  'totalTokens',
  'msgCount',
  'ownerEpoch',
  'readSeq',
  'erased',
  'rev',
] as const satisfies readonly (keyof SealedSession)[]

const pick = <T extends object>(from: T, names: readonly (keyof T)[]): Document =>
  Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])))

export const newMark = (): ObjectId => new ObjectId()
