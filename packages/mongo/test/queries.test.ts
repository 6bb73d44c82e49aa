import { answerId, chained, clientMessageId, replicaId, requestId, sessionId, Unavailable, userId } from '@chatbox/core'
import { sealedQuestion, sealedSession, sealedTurn } from '@chatbox/testkit/rows'
import type { Document } from 'mongodb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type IndexName, indexes } from '../src/indexes.ts'
import { type Query, queries } from '../src/queries.ts'
import { countPipeline } from '../src/store/keys.ts'
import { currentTokens, supersededTokens } from '../src/store/spent.ts'
import { totalsPipeline } from '../src/store/totals.ts'
import { planOf } from './support/explain.ts'
import { asked, onMongo, openedOn } from './support/server.ts'

const sid = sessionId('s-1')
const uid = userId('ada@example.org')
const turn = sealedTurn(sid, 5, { authorId: uid, cmid: clientMessageId('c-1') })
const { cmid: _, ...turnWithoutCmid } = turn
const question = sealedQuestion(sid, 7)
const id = answerId('a-1')
const other = { sid: sessionId('s-2'), answerId: answerId('a-2') }
const some = new Uint8Array([1])

/** Every query of the adapter, and the indexes by which it finds its rows: none scans (D2, D4). */
const expected: Record<keyof typeof queries, readonly (readonly [Query, ...IndexName[]])[]> = {
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
  tokensOfSession: [[queries.tokensOfSession(sid), 'idx_sid_tokens']],
  unsettledAt: [
    [queries.unsettledAt(sid, 5, undefined), 'idx_sid_seq'],
    [queries.unsettledAt(sid, 5, id), 'idx_sid_seq'],
  ],
  unsettledOfPartition: [
    [queries.unsettledOfPartition(0), 'idx_unsettled'],
    [queries.unsettledOfPartition(0, { sid, seq: 5, ts: 7 }), 'idx_unsettled'],
  ],
  spentSince: [[queries.spentSince(uid, 5), 'idx_spent']],
  supersededSpentSince: [[queries.supersededSpentSince(uid, 5), 'idx_superseded_spent']],
  lease: [[queries.lease(3), '_id_']],
  ownLease: [[queries.ownLease({ partition: 3, gen: 1, owner: replicaId('r') }), '_id_']],
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
const cases = Object.entries(expected).flatMap(([name, list]) => list.map((each) => [name, ...each] as const))

/** For the lists of admins, which are not built yet; people look for them by these names (D2). */
const OF_ADMINS = ['idx_start_time', 'idx_user_start_time', 'idx_admin_assisted']

describe('the queries', () => {
  it('are demanded to go by the index that is said, or by those of which each finds a part', () => {
    for (const [name, query, ...found] of cases) expect([query.by].flat().sort(), name).toEqual([...found].sort())
  })

  it('need every index that there is', () => {
    const used = new Set<string>([...cases.flatMap(([, , ...found]) => found), ...OF_ADMINS])
    const there = Object.values(indexes).flatMap((list) => list.map(({ name }) => name))
    expect([...used].sort()).toEqual([...there, '_id_'].sort())
  })

  it('take no operator for a value', () => {
    const operator = { $gt: '' } as never
    for (const make of [
      () => queries.sessionById(operator),
      () => queries.sessionsOfUser(operator, undefined),
      () => queries.turnAt(sid, operator),
      () => queries.turnByCmid(uid, operator),
      () => queries.turnsByAnswers([{ sid, answerId: operator }]),
      () => queries.unsettledAt(sid, 1, operator),
      () => queries.sessionByShare(operator),
      () => queries.sessionsOfKey(operator, ''),
      () => queries.idleOfPartition({ partition: 1, before: operator }),
      () => queries.auditAfter(1, operator),
      () => queries.disabledUser(operator),
      () => queries.lease(operator),
    ]) {
      expect(make).toThrow(TypeError)
    }
  })
})

await onMongo('the plans', (server) => {
  /** Some thousand rows: of a handful, the best plan is to go through all of them. */
  async function filled(): Promise<string> {
    const { mongo, database, close } = await openedOn(server(), { gatherMs: 5 })
    onTestFinished(close)
    const { conversations, leases, disabledUsers, audit } = mongo
    const sessions = Array.from({ length: 150 }, (_, i) =>
      sealedSession({ sid: sessionId(`s-${i}`), uid: userId(`user-${i % 10}`), lastActivity: i }),
    )
    await Promise.all(sessions.map((session) => conversations.createSession(session)))
    const rows = sessions.flatMap((session) =>
      Array.from({ length: 20 }, (_, i) => {
        const of = { authorId: session.uid, cmid: clientMessageId(`${session.sid}-${i}`), partition: i % 8 }
        return i % 4 === 0 ? sealedQuestion(session.sid, i * 2 + 1, of) : sealedTurn(session.sid, i * 2 + 1, of)
      }),
    )
    await Promise.all(rows.map((row) => conversations.insertTurn(row)))
    const asked = rows.flatMap(({ sid, seq, answer }) => (answer ? [{ sid, seq, answer }] : []))
    const end = { status: 'done', text: some, usage: { inputTokens: 1, outputTokens: 2, estimated: false } } as const
    await Promise.all(
      asked.map(async ({ sid, seq, answer }, i) => {
        if (i % 3 === 0) return
        await conversations.endAnswer(sid, answer.answerId, { ...end, endedAt: i })
        if (i % 3 === 1) return
        await conversations.supersede(sid, seq, answer.answerId, { ...answer, answerId: answerId(`next of ${i}`) })
      }),
    )
    const replicas = Array.from({ length: 100 }, (_, i) => replicaId(`replica-${i}`))
    await Promise.all(replicas.map((replica) => leases.attend(replica, 60_000)))
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => {
        const record = { requestId: requestId(`r-${i}`), ts: 1, actor: 'user', action: 'user.erased' }
        return audit.append(chained(i, undefined, record))
      }),
    )
    await Promise.all(Array.from({ length: 64 }, (_, i) => leases.acquire(i, replicaId(`replica-${i % 3}`), 60_000)))
    await Promise.all(sessions.map((session) => disabledUsers.set(userId(session.sid), true)))
    return database
  }

  it('of all of them find rows by that index, scan nothing, and MongoDB sorts nothing by itself', async () => {
    const database = await filled()
    await asked(server().url, async (client) => {
      const db = client.db(database)
      for (const [name, query, ...found] of cases) {
        const plan = await planOf(db.collection(query.collection), query)
        const shown = { name, indexes: plan.indexes, scans: plan.scans, sorts: plan.kind === 'mongodb' && plan.sorts }
        expect(shown).toEqual({ name, indexes: [...found].sort(), scans: false, sorts: false })
      }
      const explained = async (collection: string, pipeline: readonly Document[], hint?: IndexName) => {
        const options = hint ? { hint } : {}
        return db
          .collection(collection)
          .aggregate([...pipeline], options)
          .explain('executionStats')
      }
      const totals = JSON.stringify(await explained('sessions', totalsPipeline([sid])))
      for (const index of ['idx_sid_seq', 'idx_sid_pending', 'idx_sid_tokens']) expect(totals).toContain(index)
      expect(totals).not.toMatch(/Seq Scan|COLLSCAN/)

      const author = userId('user-3')
      const [current, before, keys] = [
        queries.spentSince(author, 500),
        queries.supersededSpentSince(author, 500),
        queries.sessionsOfKey('k-1', ''),
      ]
      const sums = {
        idx_spent: await explained('messages', currentTokens(current), 'idx_spent'),
        idx_superseded_spent: await explained('messages', supersededTokens(before, 500), 'idx_superseded_spent'),
        idx_key: await explained('sessions', countPipeline(keys, 100_000), 'idx_key'),
      }
      for (const [index, sum] of Object.entries(sums)) {
        expect(JSON.stringify(sum)).toContain(index)
        expect(JSON.stringify(sum)).not.toMatch(/Seq Scan|COLLSCAN/)
      }
      // Where the server tells: what is summed up is in the index.
      for (const covered of [sums.idx_spent, sums.idx_key]) {
        if (covered.executionStats?.totalDocsExamined !== undefined) {
          expect(covered.executionStats).toMatchObject({ totalDocsExamined: 0 })
        }
      }

      // A scan would be seen.
      const scan = { collection: 'messages', filter: { ts: 1 }, by: [] } as const
      expect(await planOf(db.collection('messages'), scan)).toMatchObject({ indexes: [], scans: true })
    })
  })

  it('are kept to: where its index is missing, a query is refused', async () => {
    const { mongo, database, close } = await openedOn(server())
    onTestFinished(close)
    await mongo.conversations.ping()
    await asked(server().url, (client) => client.db(database).collection('messages').dropIndex('idx_sid_pending'))
    await asked(server().url, (client) => client.db(database).collection('messages').dropIndex('idx_sid_seq'))
    await expect(mongo.conversations.turn(sid, 1)).rejects.toBeInstanceOf(Unavailable)
  })
})
