import type {
  AnswerId,
  ClientMessageId,
  Lease,
  PendingAnswer,
  SessionId,
  SessionPageQuery,
  UserId,
} from '@chatbox/core'
import type { Document } from 'mongodb'
import type { CollectionName } from './collections.ts'
import type { SealedTurn } from './documents/turn.ts'
import type { IndexName } from './indexes.ts'
import { binary, NO_BYTES, number, text } from './values.ts'

export interface Query {
  readonly collection: CollectionName
  readonly filter: Document
  readonly sort?: Readonly<Record<string, 1 | -1>>
  /** The index by which its rows are found and sorted, which the server is told to use; several where each finds a part of them. */
  readonly by: IndexName | readonly IndexName[]
}

const sessions = (filter: Document): Query => ({ collection: 'sessions', filter, by: '_id_' })
const messages = (by: Query['by'], filter: Document, sort?: Query['sort']): Query => ({
  collection: 'messages',
  filter,
  by,
  ...(sort && { sort }),
})

/** Everything that the adapter ever asks the database; a test shows that none of it scans (D2, D4). */
export const queries = {
  sessionById: (sid: SessionId) => sessions({ _id: text(sid) }),
  sessionsByIds: (sids: readonly SessionId[]) => sessions({ _id: { $in: sids.map(text) } }),
  sessionAtRev: (sid: SessionId, rev: number) => sessions({ _id: text(sid), rev: number(rev) }),
  sessionWithKey: (sid: SessionId, key: Uint8Array) => sessions({ _id: text(sid), key: binary(key) }),
  sessionWithAnyKey: (sid: SessionId) => sessions({ _id: text(sid), key: { $ne: NO_BYTES() } }),

  // The second bound is there for rows with equal activity alone; the first one is what the index goes on from (D4).
  sessionsOfUser: (uid: UserId, after: SessionPageQuery['after']): Query => ({
    collection: 'sessions',
    filter: {
      uid: text(uid),
      ...(after && {
        lastActivity: { $lte: number(after.lastActivity) },
        $or: [{ lastActivity: { $lt: number(after.lastActivity) } }, { _id: { $lt: text(after.sid) } }],
      }),
      erased: false,
    },
    sort: { lastActivity: -1, _id: -1 },
    by: 'idx_user_id',
  }),

  turnAt: (sid: SessionId, seq: number) => messages('idx_sid_seq', { sid: text(sid), seq: number(seq) }),
  // The first row of a session is at 1, for there are no gaps (R1, P3).
  firstTurns: (sids: readonly SessionId[]) => messages('idx_sid_seq', { sid: { $in: sids.map(text) }, seq: 1 }),
  turnsDown: (sid: SessionId, before: number | undefined) =>
    messages(
      'idx_sid_seq',
      { sid: text(sid), ...(before !== undefined && { seq: { $lt: number(before) } }) },
      { seq: -1 },
    ),
  turnsUp: (sid: SessionId, from: number, before: number | undefined) =>
    messages(
      'idx_sid_seq',
      { sid: text(sid), seq: { $gte: number(from), ...(before !== undefined && { $lt: number(before) }) } },
      { seq: 1 },
    ),
  turnsToErase: (sid: SessionId) => messages('idx_sid_seq', { sid: text(sid), erased: { $ne: true } }),

  turnByCmid: (authorId: UserId, cmid: ClientMessageId) =>
    messages('idx_author_cmid', { authorId: text(authorId), cmid: text(cmid) }),
  /** What an insert can have met. */
  inTheWay: ({ sid, seq, authorId, cmid }: SealedTurn) =>
    messages(cmid === undefined ? 'idx_sid_seq' : ['idx_sid_seq', 'idx_author_cmid'], {
      $or: [
        { sid: text(sid), seq: number(seq) },
        ...(cmid === undefined ? [] : [{ authorId: text(authorId), cmid: text(cmid) }]),
      ],
    }),

  turnByAnswer: (sid: SessionId, answerId: AnswerId) =>
    messages('idx_answer', { sid: text(sid), 'answer.answerId': text(answerId) }),
  turnsByAnswers: (sids: readonly SessionId[], answerIds: readonly AnswerId[]) =>
    messages('idx_answer', { sid: { $in: sids.map(text) }, 'answer.answerId': { $in: answerIds.map(text) } }),
  turnBySuperseded: (sid: SessionId, answerId: AnswerId) =>
    messages('idx_superseded', { sid: text(sid), 'superseded.answerId': text(answerId) }),
  pendingAnswer: (sid: SessionId, answerId: AnswerId, expected: { attempt?: number; n?: number }) =>
    messages('idx_answer', {
      ...{ sid: text(sid), 'answer.answerId': text(answerId), 'answer.status': 'pending' },
      ...(expected.attempt !== undefined && { 'answer.attempt': number(expected.attempt) }),
      ...(expected.n !== undefined && { 'answer.n': number(expected.n) }),
    }),
  endedAnswer: (sid: SessionId, seq: number, answerId: AnswerId) =>
    messages('idx_sid_seq', {
      ...{ sid: text(sid), seq: number(seq), 'answer.answerId': text(answerId), 'answer.status': { $ne: 'pending' } },
      // A stub is beyond every change (R22).
      erased: { $ne: true },
    }),

  pendingOfSession: (sid: SessionId) =>
    messages('idx_sid_pending', { sid: text(sid), 'answer.status': 'pending' }, { seq: 1 }),
  tokensOfSession: (sid: SessionId) => messages('idx_sid_tokens', { sid: text(sid), tokens: { $gt: 0 } }),
  pendingOfPartition: (partition: number, after?: Pick<PendingAnswer, 'sid' | 'seq'> & { askedAt: number }) =>
    messages(
      'idx_partition_pending',
      {
        ...{ partition: number(partition), 'answer.status': 'pending' },
        ...(after && {
          'answer.askedAt': { $gte: number(after.askedAt) },
          $or: [
            { 'answer.askedAt': { $gt: after.askedAt } },
            { sid: { $gt: text(after.sid) } },
            { sid: text(after.sid), seq: { $gt: number(after.seq) } },
          ],
        }),
      },
      { 'answer.askedAt': 1, sid: 1, seq: 1 },
    ),

  lease: (partition: number): Query => ({ collection: 'leases', filter: { _id: number(partition) }, by: '_id_' }),
  ownLease: ({ partition, gen, owner }: Lease): Query => ({
    collection: 'leases',
    filter: { _id: number(partition), gen: number(gen), owner: text(owner) },
    by: '_id_',
  }),
  ownedLeases: (): Query => ({ collection: 'leases', filter: { owner: { $gt: '' } }, by: 'idx_owner' }),
  setting: (name: string): Query => ({ collection: 'settings', filter: { _id: text(name) }, by: '_id_' }),
  disabledUser: (uid: UserId): Query => ({ collection: 'disabledUsers', filter: { _id: text(uid) }, by: '_id_' }),
  disabledUsers: (): Query => ({
    collection: 'disabledUsers',
    filter: { _id: { $gt: '' } },
    sort: { _id: 1 },
    by: '_id_',
  }),
} as const

/** A single index is demanded. Where it is missing the server refuses, which is better than a scan that nobody sees. */
export const hintOf = ({ by }: Query): { hint?: string } =>
  typeof by === 'string' && by !== '_id_' ? { hint: by } : {}
