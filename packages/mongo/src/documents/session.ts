import {
  type SealedNames,
  type SealedSession,
  type Session,
  type SessionChange,
  type Share,
  sessionId,
  type UserId,
  userId,
} from '@chatbox/core'
import { type Document, ObjectId, type UpdateFilter } from 'mongodb'
import type { Row } from '../collections.ts'
import { binary, fieldsOf, storable } from '../values.ts'

/** `op` names the last change, so that whoever lost the reply to his own finds it again. */
export const sessionDocument = (session: SealedSession, op: ObjectId): Row => {
  const { sid, key, keyId, ...rest } = session
  return { _id: sid, key: binary(key), op, ...storable({ keyId, ...stored(rest) }) }
}

/** What a compare-and-set on `rev` writes. */
export function sessionUpdate(rev: number, change: SessionChange<Uint8Array>, op: ObjectId): UpdateFilter<Row> {
  const kept = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null))
  return {
    $set: { ...storable(stored(kept)), rev: rev + 1, op },
    ...unsetting(REMOVABLE.filter((name) => change[name] === null)),
  }
}

const REMOVABLE = ['nm', 'preview', 'endTs', 'assistingAdminId', 'assistingAdminName', 'share'] as const

/** A server refuses to take nothing away. */
export const unsetting = (names: readonly string[]): Pick<UpdateFilter<Row>, '$unset'> =>
  names.length > 0 ? { $unset: Object.fromEntries(names.map((name) => [name, ''])) } : {}

export const NAMES = ['nm', 'preview', 'assistingAdminName'] as const satisfies readonly (keyof SealedNames)[]

export const namesDocument = (names: SealedNames): Document =>
  Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = names[name]
      return value === undefined ? [] : [[name, binary(value)]]
    }),
  )

export function sessionOf(document: Document): SealedSession {
  const fields = fieldsOf(document)
  return {
    sid: sessionId(fields.text('_id')),
    uid: userId(fields.text('uid')),
    partition: fields.number('partition'),
    key: fields.bytes('key'),
    keyId: fields.text('keyId'),
    ...fields.maybeBytes('nm'),
    ...fields.maybeBytes('preview'),
    modelId: fields.text('modelId'),
    ts: fields.number('ts'),
    ...fields.maybeNumber('endTs'),
    lastActivity: fields.number('lastActivity'),
    adminAssisted: fields.flag('adminAssisted'),
    ...fields.maybeText<'assistingAdminId', UserId>('assistingAdminId'),
    ...fields.maybeBytes('assistingAdminName'),
    helpRequested: fields.flag('helpRequested'),
    totalTokens: fields.number('totalTokens'),
    // A session from before costs were reckoned has none until its next change.
    totalCost: fields.maybeNumber('totalCost').totalCost ?? 0,
    msgCount: fields.number('msgCount'),
    rts: fields.numbers('rts'),
    ownerEpoch: fields.number('ownerEpoch'),
    readSeq: fields.number('readSeq'),
    ...(document.share !== undefined && { share: shareOf(document.share) }),
    erased: fields.flag('erased'),
    rev: fields.number('rev'),
  }
}

function shareOf(document: Document): Share {
  const fields = fieldsOf(document)
  return { hash: fields.text('hash'), until: fields.number('until') }
}

/** Field by field, so that nothing gets into a document that is no field of it. */
function stored(session: Partial<Session<Uint8Array>>): Document {
  const { rts, share } = session
  return {
    ...pick(session, PLAIN),
    ...namesDocument(session),
    ...(rts && { rts: [...rts] }),
    ...(share && { share: { hash: share.hash, until: share.until } }),
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
  'totalCost',
  'msgCount',
  'ownerEpoch',
  'readSeq',
  'erased',
  'rev',
] as const satisfies readonly (keyof Session)[]

const pick = <T extends object>(from: T, names: readonly (keyof T)[]): Document =>
  Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])))

export const newMark = (): ObjectId => new ObjectId()
