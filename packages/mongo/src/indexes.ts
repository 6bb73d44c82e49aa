import type { IndexDescription } from 'mongodb'
import type { CollectionName } from './collections.ts'

export interface Index extends IndexDescription {
  readonly name: string
  readonly key: Readonly<Record<string, 1 | -1>>
}

/**
 * Every index (D2); `_id` has one by itself. What has been released is never changed: an index that has to be another one gets
 * another name, so that two versions can run side by side.
 */
export const indexes = {
  sessions: [
    {
      name: 'idx_user_id',
      key: { uid: 1, lastActivity: -1, _id: -1 },
      partialFilterExpression: { erased: false },
    },
    { name: 'idx_start_time', key: { ts: -1, _id: -1 } },
    { name: 'idx_user_start_time', key: { uid: 1, ts: -1, _id: -1 } },
    { name: 'idx_admin_assisted', key: { adminAssisted: 1, ts: -1, _id: -1 } },
    { name: 'idx_erased', key: { uid: 1 }, partialFilterExpression: { erased: true } },
    { name: 'idx_idle', key: { partition: 1, lastActivity: 1 }, partialFilterExpression: { erased: false } },
    {
      name: 'idx_share',
      key: { 'share.hash': 1 },
      unique: true,
      partialFilterExpression: { 'share.hash': { $exists: true } },
    },
    { name: 'idx_key', key: { keyId: 1, _id: 1 } },
  ],
  messages: [
    { name: 'idx_sid_seq', key: { sid: 1, seq: 1 }, unique: true },
    {
      name: 'idx_author_cmid',
      key: { authorId: 1, cmid: 1 },
      unique: true,
      partialFilterExpression: { cmid: { $exists: true } },
    },
    // The answer first: queries by session alone must find but one index that begins with it.
    { name: 'idx_answer', key: { 'answer.answerId': 1, sid: 1 } },
    {
      name: 'idx_superseded',
      key: { 'superseded.answerId': 1, sid: 1 },
      partialFilterExpression: { 'superseded.answerId': { $exists: true } },
    },
    {
      name: 'idx_sid_pending',
      key: { sid: 1, 'answer.status': 1, seq: 1 },
      partialFilterExpression: { 'answer.status': 'pending' },
    },
    {
      name: 'idx_unsettled',
      key: { partition: 1, ts: 1, sid: 1, seq: 1 },
      partialFilterExpression: { unsettled: true },
    },
    // These two have in them what is summed up, so that no document need be read for it. What has cost something has tokens.
    { name: 'idx_sid_spent', key: { sid: 1, tokens: 1, cost: 1 }, partialFilterExpression: { tokens: { $gt: 0 } } },
    {
      name: 'idx_spent',
      key: { authorId: 1, 'answer.endedAt': 1, 'answer.usage.inputTokens': 1, 'answer.usage.outputTokens': 1 },
      partialFilterExpression: { 'answer.usage.inputTokens': { $gte: 0 } },
    },
    {
      name: 'idx_superseded_spent',
      key: { authorId: 1, 'superseded.endedAt': 1 },
      partialFilterExpression: { 'superseded.usage.inputTokens': { $gte: 0 } },
    },
  ],
  leases: [{ name: 'idx_owner', key: { owner: 1, until: 1 } }],
  replicas: [],
  settings: [],
  disabledUsers: [],
  audit: [
    { name: 'idx_partition_n', key: { partition: 1, n: 1 }, unique: true },
    { name: 'idx_partition_request', key: { partition: 1, requestId: 1 }, unique: true },
  ],
} as const satisfies Readonly<Record<CollectionName, readonly Index[]>>

export type IndexName = '_id_' | (typeof indexes)[CollectionName][number]['name']
