import type {
  AnswerId,
  AuditEntry,
  ClientMessageId,
  Lease,
  ReplicaId,
  SealedNames,
  SessionId,
  SessionPageQuery,
  TurnPlace,
  UserId,
} from '@chatbox/core'
import type { Document } from 'mongodb'
import type { CollectionName } from './collections.ts'
import { NAMES } from './documents/session.ts'
import type { SealedAnswer, SealedTurn } from './documents/turn.ts'
import type { IndexName } from './indexes.ts'
import { binary, NO_BYTES, number, text } from './values.ts'

export interface Query {
  readonly collection: CollectionName
  readonly filter: Document
  readonly sort?: Readonly<Record<string, 1 | -1>>
  /** The index by which its rows are found and sorted, which the server is told to use; several where each finds a part of them. */
  readonly by: IndexName | readonly IndexName[]
}

const sessions = (filter: Document, by: IndexName = '_id_', sort?: Query['sort']): Query => ({
  collection: 'sessions',
  filter,
  by,
  ...(sort && { sort }),
})
const messages = (by: Query['by'], filter: Document, sort?: Query['sort']): Query => ({
  collection: 'messages',
  filter,
  by,
  ...(sort && { sort }),
})

export type Place = Pick<SealedTurn, 'sid' | 'seq'>
export interface AnswerPlace {
  readonly sid: SessionId
  readonly answerId: AnswerId
}
/** A row is found by its place, or by an answer in it. */
export type TurnTarget = Place | AnswerPlace

const place = ({ sid, seq }: Place): Document => ({ sid: text(sid), seq: number(seq) })

const ABSENT: Document = { $exists: false }

const withAnswers = (places: readonly AnswerPlace[], path: 'answer' | 'superseded'): Document => ({
  sid: { $in: places.map(({ sid }) => text(sid)) },
  [`${path}.answerId`]: { $in: places.map(({ answerId }) => text(answerId)) },
})

const sameBytes = (value: Uint8Array | undefined) => (value === undefined ? ABSENT : binary(value))

const answerWithValues = (path: string, { answerId, text: value, feedback }: SealedAnswer): Document => ({
  [`${path}.answerId`]: text(answerId),
  [`${path}.text`]: sameBytes(value),
  [`${path}.feedback.comment`]: sameBytes(feedback?.comment),
})

/** Everything that the adapter ever asks the database; a test shows that none of it scans (D2, D4). */
export const queries = {
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

  turnAt: (sid: SessionId, seq: number) => messages('idx_sid_seq', { sid: text(sid), seq: number(seq) }),
  turnsAt: (places: readonly Place[]) => messages('idx_sid_seq', { $or: places.map(place) }),
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
  turnsOfAuthor: (sids: readonly SessionId[], authorId: UserId) =>
    messages('idx_sid_seq', { sid: { $in: sids.map(text) }, authorId: text(authorId) }),
  /** By every value that was read, and by there being no other. */
  turnWithValues: ({ sid, seq, content, answer, superseded }: SealedTurn) =>
    messages('idx_sid_seq', {
      ...place({ sid, seq }),
      content: binary(content),
      ...(answer ? answerWithValues('answer', answer) : { answer: ABSENT }),
      superseded: superseded.length > 0 ? { $size: superseded.length } : ABSENT,
      ...Object.assign({}, ...superseded.map((each, i) => answerWithValues(`superseded.${i}`, each))),
    }),
  turnsToErase: (sid: SessionId) => messages('idx_sid_seq', { sid: text(sid), erased: { $ne: true } }),

  turnByCmid: (authorId: UserId, cmid: ClientMessageId) =>
    messages('idx_author_cmid', { authorId: text(authorId), cmid: text(cmid) }),
  /** What an insert can have met. */
  inTheWay: ({ sid, seq, authorId, cmid }: SealedTurn) =>
    messages(cmid === undefined ? 'idx_sid_seq' : ['idx_sid_seq', 'idx_author_cmid'], {
      $or: [place({ sid, seq }), ...(cmid === undefined ? [] : [{ authorId: text(authorId), cmid: text(cmid) }])],
    }),

  turnsByAnswers: (places: readonly AnswerPlace[]) => messages('idx_answer', withAnswers(places, 'answer')),
  turnsBySuperseded: (places: readonly AnswerPlace[]) => messages('idx_superseded', withAnswers(places, 'superseded')),
  /** The rows that these changes were made to, whatever has become of them since. */
  changedTurns: (targets: readonly TurnTarget[]) => {
    const places = targets.filter((target) => 'seq' in target)
    const answers = targets.filter((target) => 'answerId' in target)
    const byAnswer = ['idx_answer', 'idx_superseded'] as const
    const filters = places.map(place)
    if (answers.length === 0) return messages('idx_sid_seq', { $or: filters })
    const either = [withAnswers(answers, 'answer'), withAnswers(answers, 'superseded')]
    return messages(places.length === 0 ? byAnswer : ['idx_sid_seq', ...byAnswer], { $or: [...filters, ...either] })
  },
  pendingAnswer: (sid: SessionId, answerId: AnswerId, expected: { attempt?: number; n?: number }) =>
    messages('idx_answer', {
      ...{ sid: text(sid), 'answer.answerId': text(answerId), 'answer.status': 'pending' },
      ...(expected.attempt !== undefined && { 'answer.attempt': number(expected.attempt) }),
      ...(expected.n !== undefined && { 'answer.n': number(expected.n) }),
    }),
  doneAnswer: (sid: SessionId, answerId: AnswerId) =>
    messages('idx_answer', {
      ...{ sid: text(sid), 'answer.answerId': text(answerId), 'answer.status': 'done' },
      erased: { $ne: true },
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
  unsettledAt: (sid: SessionId, seq: number, answerId: AnswerId | undefined) =>
    messages('idx_sid_seq', {
      ...place({ sid, seq }),
      ...{ unsettled: true, 'answer.status': { $ne: 'pending' } },
      'answer.answerId': answerId === undefined ? ABSENT : text(answerId),
    }),
  unsettledOfPartition: (partition: number, after?: TurnPlace) =>
    messages(
      'idx_unsettled',
      {
        ...{ partition: number(partition), unsettled: true },
        ...(after && {
          ts: { $gte: number(after.ts) },
          $or: [
            { ts: { $gt: after.ts } },
            { sid: { $gt: text(after.sid) } },
            { sid: text(after.sid), seq: { $gt: number(after.seq) } },
          ],
        }),
      },
      { ts: 1, sid: 1, seq: 1 },
    ),
  spentSince: (authorId: UserId, since: number) =>
    messages('idx_spent', {
      authorId: text(authorId),
      'answer.endedAt': { $gte: number(since) },
      'answer.usage.inputTokens': { $gte: 0 },
    }),
  supersededSpentSince: (authorId: UserId, since: number) =>
    messages('idx_superseded_spent', {
      authorId: text(authorId),
      'superseded.endedAt': { $gte: number(since) },
      'superseded.usage.inputTokens': { $gte: 0 },
    }),

  lease: (partition: number): Query => ({ collection: 'leases', filter: { _id: number(partition) }, by: '_id_' }),
  ownLease: ({ partition, gen, owner }: Lease): Query => ({
    collection: 'leases',
    filter: { _id: number(partition), gen: number(gen), owner: text(owner) },
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

/** A single index is demanded. Where it is missing the server refuses, which is better than a scan that nobody sees. */
export const hintOf = ({ by }: Query): { hint?: string } =>
  typeof by === 'string' && by !== '_id_' ? { hint: by } : {}
