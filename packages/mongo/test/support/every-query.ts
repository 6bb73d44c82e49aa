import { answerId, clientMessageId, replicaId, requestId, sessionId, userId } from '@chatbox/core'
import { sealedQuestion, sealedTurn } from '@chatbox/testkit/rows'
import type { IndexName } from '../../src/indexes.ts'
import { type Query, queries } from '../../src/queries.ts'

const sid = sessionId('s-1')
const uid = userId('ada@example.org')
const turn = sealedTurn(sid, 5, { authorId: uid, cmid: clientMessageId('c-1') })
const { cmid: _, ...turnWithoutCmid } = turn
const question = sealedQuestion(sid, 7)
const id = answerId('a-1')
const other = { sid: sessionId('s-2'), answerId: answerId('a-2') }
const some = new Uint8Array([1])

/** Every query of the adapter, and the indexes by which it finds its rows: none scans (D2, D4). */
const plans: Record<keyof typeof queries, readonly (readonly [Query, ...IndexName[]])[]> = {
  sessionById: [[queries.sessionById(sid), '_id_']],
  sessionsByIds: [[queries.sessionsByIds([sid, sessionId('s-2')]), '_id_']],
  sessionAtRev: [[queries.sessionAtRev(sid, 3), '_id_']],
  sessionWithKey: [[queries.sessionWithKey(sid, some), '_id_']],
  sessionWithAnyKey: [[queries.sessionWithAnyKey(sid), '_id_']],
  sessionWithNames: [[queries.sessionWithNames(sid, { nm: some }), '_id_']],
  sessionByShare: [[queries.sessionByShare('a hash'), 'idx_share']],
  nextKey: [[queries.nextKey(''), 'idx_key']],
  sessionsOfKey: [[queries.sessionsOfKey('k-1', sid), 'idx_key']],
  keptOfUser: [[queries.keptOfUser(uid), 'idx_user_id']],
  erasedOfUser: [[queries.erasedOfUser(uid), 'idx_erased']],
  sessionsOfOwner: [[queries.sessionsOfOwner([sid, sessionId('s-2')], uid), '_id_']],
  idleOfPartition: [[queries.idleOfPartition({ partition: 3, before: 5 }), 'idx_idle']],
  sessionsOfUser: [
    [queries.sessionsOfUser(uid, undefined), 'idx_user_id'],
    [queries.sessionsOfUser(uid, { lastActivity: 5, sid }), 'idx_user_id'],
  ],
  turnAt: [[queries.turnAt(sid, 5), 'idx_sid_seq']],
  turnsAt: [
    [
      queries.turnsAt([
        { sid, seq: 5 },
        { sid: sessionId('s-2'), seq: 1 },
      ]),
      'idx_sid_seq',
    ],
  ],
  firstTurns: [[queries.firstTurns([sid, sessionId('s-2')]), 'idx_sid_seq']],
  turnsDown: [
    [queries.turnsDown(sid, undefined), 'idx_sid_seq'],
    [queries.turnsDown(sid, 5), 'idx_sid_seq'],
  ],
  turnsUp: [
    [queries.turnsUp(sid, 5, undefined), 'idx_sid_seq'],
    [queries.turnsUp(sid, 5, 9), 'idx_sid_seq'],
  ],
  turnsOfAuthor: [[queries.turnsOfAuthor([sid, sessionId('s-2')], uid), 'idx_sid_seq']],
  turnWithValues: [
    [queries.turnWithValues(turn), 'idx_sid_seq'],
    [queries.turnWithValues({ ...question, superseded: [question.answer] }), 'idx_sid_seq'],
  ],
  turnsToErase: [[queries.turnsToErase(sid), 'idx_sid_seq']],
  turnByCmid: [[queries.turnByCmid(uid, clientMessageId('c-1')), 'idx_author_cmid']],
  inTheWay: [
    [queries.inTheWay(turn), 'idx_author_cmid', 'idx_sid_seq'],
    [queries.inTheWay(turnWithoutCmid), 'idx_sid_seq'],
  ],
  turnsByAnswers: [[queries.turnsByAnswers([{ sid, answerId: id }, other]), 'idx_answer']],
  turnsBySuperseded: [[queries.turnsBySuperseded([{ sid, answerId: id }, other]), 'idx_superseded']],
  changedTurns: [
    [queries.changedTurns([{ sid, seq: 1 }]), 'idx_sid_seq'],
    [queries.changedTurns([{ sid, answerId: id }]), 'idx_answer', 'idx_superseded'],
    [queries.changedTurns([{ sid, seq: 1 }, other]), 'idx_answer', 'idx_sid_seq', 'idx_superseded'],
  ],
  pendingAnswer: [
    [queries.pendingAnswer(sid, id, {}), 'idx_answer'],
    [queries.pendingAnswer(sid, id, { attempt: 1, n: 1 }), 'idx_answer'],
  ],
  doneAnswer: [[queries.doneAnswer(sid, id), 'idx_answer']],
  endedAnswer: [[queries.endedAnswer(sid, 5, id), 'idx_sid_seq']],
  pendingOfSession: [[queries.pendingOfSession(sid), 'idx_sid_pending']],
  spentInSession: [[queries.spentInSession(sid), 'idx_sid_spent']],
  unsettledAt: [
    [queries.unsettledAt(sid, 5, undefined), 'idx_sid_seq'],
    [queries.unsettledAt(sid, 5, id), 'idx_sid_seq'],
  ],
  unsettledOfPartition: [
    [queries.unsettledOfPartition(0), 'idx_unsettled'],
    [queries.unsettledOfPartition(0, { sid, seq: 5, ts: 7 }), 'idx_unsettled'],
  ],
  unsettledOfPartitions: [[queries.unsettledOfPartitions([0, 3]), 'idx_unsettled']],
  spentSince: [[queries.spentSince([uid, userId('v')], 5), 'idx_spent']],
  supersededSpentSince: [[queries.supersededSpentSince([uid, userId('v')], 5), 'idx_superseded_spent']],
  lease: [[queries.lease(3), '_id_']],
  ownLease: [[queries.ownLease({ partition: 3, gen: 1, owner: replicaId('r') }), '_id_']],
  leases: [[queries.leases([3, 4]), '_id_']],
  ownLeases: [[queries.ownLeases([1, 2].map((partition) => ({ partition, gen: 1, owner: replicaId('r') }))), '_id_']],
  ownedLeases: [[queries.ownedLeases(), 'idx_owner']],
  replica: [[queries.replica(replicaId('r')), '_id_']],
  replicas: [[queries.replicas(), '_id_']],
  setting: [[queries.setting('partitions'), '_id_']],
  disabledUser: [[queries.disabledUser(uid), '_id_']],
  disabledUsers: [[queries.disabledUsers(), '_id_']],
  lastAudit: [[queries.lastAudit(3), 'idx_partition_n']],
  auditAfter: [[queries.auditAfter(3, 5), 'idx_partition_n']],
  auditInTheWay: [
    [
      queries.auditInTheWay({ partition: 3, n: 5, requestId: requestId('r-1') }),
      ...(['idx_partition_n', 'idx_partition_request'] as const),
    ],
  ],
}
export const everyQuery = Object.entries(plans).flatMap(([name, list]) => list.map((each) => [name, ...each] as const))

/** For the lists of admins, which are not built yet; people look for them by these names (D2). */
export const OF_ADMINS = ['idx_start_time', 'idx_user_start_time', 'idx_admin_assisted']
