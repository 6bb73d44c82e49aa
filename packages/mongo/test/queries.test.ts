import { answerId, chained, clientMessageId, replicaId, requestId, sessionId, Unavailable, userId } from '@chatbox/core'
import { sealedQuestion, sealedSession, sealedTurn } from '@chatbox/testkit/rows'
import type { Document } from 'mongodb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type IndexName, indexes } from '../src/indexes.ts'
import { queries } from '../src/queries.ts'
import { countPipeline } from '../src/store/keys.ts'
import { currentTokens, supersededTokens } from '../src/store/spent.ts'
import { totalsPipeline } from '../src/store/totals.ts'
import { everyQuery, OF_ADMINS } from './support/every-query.ts'
import { planOf } from './support/explain.ts'
import { asked, onMongo, openedOn } from './support/server.ts'

const sid = sessionId('s-1')
const uid = userId('ada@example.org')
const some = new Uint8Array([1])

describe('the queries', () => {
  it('are demanded to go by the index that is said, or by those of which each finds a part', () => {
    for (const [name, query, ...found] of everyQuery) expect([query.by].flat().sort(), name).toEqual([...found].sort())
  })

  it('need every index that there is', () => {
    const used = new Set<string>([...everyQuery.flatMap(([, , ...found]) => found), ...OF_ADMINS])
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
      for (const [name, query, ...found] of everyQuery) {
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
      for (const index of ['idx_sid_seq', 'idx_sid_pending', 'idx_sid_spent']) expect(totals).toContain(index)
      expect(totals).not.toMatch(/Seq Scan|COLLSCAN/)

      const author = userId('user-3')
      const [current, before, keys] = [
        queries.spentSince([author, userId('user-4')], 500),
        queries.supersededSpentSince([author, userId('user-4')], 500),
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
