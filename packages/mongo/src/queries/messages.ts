import type { AnswerId, ClientMessageId, SessionId, TurnPlace, UserId } from '@chatbox/core'
import type { Document } from 'mongodb'
import type { SealedAnswer, SealedTurn } from '../documents/turn.ts'
import { binary, number, text } from '../values.ts'
import { ABSENT, type Query, sameBytes } from './query.ts'

export type Place = Pick<SealedTurn, 'sid' | 'seq'>
export interface AnswerPlace {
  readonly sid: SessionId
  readonly answerId: AnswerId
}
/** A row is found by its place, or by an answer in it. */
export type TurnTarget = Place | AnswerPlace

const messages = (by: Query['by'], filter: Document, sort?: Query['sort']): Query => ({
  collection: 'messages',
  filter,
  by,
  ...(sort && { sort }),
})

const place = ({ sid, seq }: Place): Document => ({ sid: text(sid), seq: number(seq) })

const withAnswers = (places: readonly AnswerPlace[], path: 'answer' | 'superseded'): Document => ({
  sid: { $in: places.map(({ sid }) => text(sid)) },
  [`${path}.answerId`]: { $in: places.map(({ answerId }) => text(answerId)) },
})

const answerWithValues = (path: string, { answerId, text: value, thread, feedback }: SealedAnswer): Document => ({
  [`${path}.answerId`]: text(answerId),
  [`${path}.text`]: sameBytes(value),
  [`${path}.thread`]: sameBytes(thread),
  [`${path}.feedback.comment`]: sameBytes(feedback?.comment),
})

export const messageQueries = {
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
  spentInSession: (sid: SessionId) => messages('idx_sid_spent', { sid: text(sid), tokens: { $gt: 0 } }),
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
  unsettledOfPartitions: (partitions: readonly number[]) =>
    messages('idx_unsettled', { partition: { $in: partitions.map(number) }, unsettled: true }),
  spentSince: (authorIds: readonly UserId[], since: number) =>
    messages('idx_spent', {
      authorId: { $in: authorIds.map(text) },
      'answer.endedAt': { $gte: number(since) },
      'answer.usage.inputTokens': { $gte: 0 },
    }),
  supersededSpentSince: (authorIds: readonly UserId[], since: number) =>
    messages('idx_superseded_spent', {
      authorId: { $in: authorIds.map(text) },
      'superseded.endedAt': { $gte: number(since) },
      'superseded.usage.inputTokens': { $gte: 0 },
    }),
} as const
