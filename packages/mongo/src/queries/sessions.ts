import type { SealedNames, SessionId, SessionPageQuery, UserId } from '@chatbox/core'
import type { Document } from 'mongodb'
import { NAMES } from '../documents/session.ts'
import type { IndexName } from '../indexes.ts'
import { binary, NO_BYTES, number, text } from '../values.ts'
import { type Query, sameBytes } from './query.ts'

const sessions = (filter: Document, by: IndexName = '_id_', sort?: Query['sort']): Query => ({
  collection: 'sessions',
  filter,
  by,
  ...(sort && { sort }),
})

export const sessionQueries = {
  sessionById: (sid: SessionId) => sessions({ _id: text(sid) }),
  sessionsByIds: (sids: readonly SessionId[]) => sessions({ _id: { $in: sids.map(text) } }),
  sessionAtRev: (sid: SessionId, rev: number) => sessions({ _id: text(sid), rev: number(rev) }),
  sessionWithKey: (sid: SessionId, key: Uint8Array) => sessions({ _id: text(sid), key: binary(key) }),
  sessionWithAnyKey: (sid: SessionId) => sessions({ _id: text(sid), key: { $ne: NO_BYTES() } }),
  sessionWithNames: (sid: SessionId, names: SealedNames) =>
    sessions({ _id: text(sid), ...Object.fromEntries(NAMES.map((name) => [name, sameBytes(names[name])])) }),
  sessionByShare: (hash: string) => sessions({ 'share.hash': text(hash) }, 'idx_share'),

  nextKey: (after: string) => sessions({ keyId: { $gt: text(after) } }, 'idx_key', { keyId: 1, _id: 1 }),
  sessionsOfKey: (keyId: string, after: string) =>
    sessions({ keyId: text(keyId), _id: { $gt: text(after) } }, 'idx_key', { keyId: 1, _id: 1 }),

  keptOfUser: (uid: UserId) => sessions({ uid: text(uid), erased: false }, 'idx_user_id'),
  erasedOfUser: (uid: UserId) => sessions({ uid: text(uid), erased: true }, 'idx_erased'),
  sessionsOfOwner: (sids: readonly SessionId[], uid: UserId) =>
    sessions({ _id: { $in: sids.map(text) }, uid: text(uid) }),
  idleOfPartition: ({ partition, before }: { readonly partition: number; readonly before: number }) =>
    sessions({ partition: number(partition), lastActivity: { $lt: number(before) }, erased: false }, 'idx_idle', {
      lastActivity: 1,
    }),

  // The second bound is there for rows with equal activity alone; the first one is what the index goes on from (D4).
  sessionsOfUser: (uid: UserId, after: SessionPageQuery['after']) =>
    sessions(
      {
        uid: text(uid),
        ...(after && {
          lastActivity: { $lte: number(after.lastActivity) },
          $or: [{ lastActivity: { $lt: number(after.lastActivity) } }, { _id: { $lt: text(after.sid) } }],
        }),
        erased: false,
      },
      'idx_user_id',
      { lastActivity: -1, _id: -1 },
    ),
} as const
