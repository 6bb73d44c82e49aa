import { randomUUID } from 'node:crypto'
import { answerId, clientMessageId, replicaId, sessionId, userId } from '@chatbox/core'
import { migrateMongo, openMongo, type Retry } from '@chatbox/mongo'
import { type MongoCommand, startMongoWire } from '@chatbox/testkit/mongo-wire'
import { sealedQuestion, sealedSession, sealedTurn } from '@chatbox/testkit/rows'
import type { Db, Document } from 'mongodb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { collectionNames } from '../src/collections.ts'
import { END, readsOf, someLife, writesOf } from './support/life.ts'
import { onMongo } from './support/server.ts'
import { isWrite, wired } from './support/wired.ts'

await onMongo('what goes over the wire', (server) => {
  describe('every command', () => {
    it('that writes asks for a majority and its journal, and every one that reads for what a majority has (P1)', async () => {
      const { mongo, wire } = await wired(server())
      const life = someLife()
      for (const call of Object.values(writesOf(mongo, life))) await call()
      for (const call of Object.values(readsOf(mongo, life))) await call()

      const writes = wire.commands.filter(isWrite)
      const reads = wire.commands.filter(({ name }) => ['find', 'aggregate'].includes(name))
      const others = wire.commands.filter((command) => !writes.includes(command) && !reads.includes(command))
      expect(writes.length).toBeGreaterThanOrEqual(Object.keys(writesOf(mongo, life)).length)
      expect(reads.length).toBeGreaterThanOrEqual(Object.keys(readsOf(mongo, life)).length - 1)
      expect(new Set(others.map(({ name }) => name))).toEqual(new Set(['listIndexes', 'ping']))
      for (const { name, body } of writes) {
        expect(body.writeConcern, name).toMatchObject({ w: 'majority', j: true })
      }
      for (const { name, body } of reads) expect(body.readConcern, name).toEqual({ level: 'majority' })
      for (const { name, body } of wire.commands) {
        expect([undefined, 'primary', 'primaryPreferred'], name).toContain(body.$readPreference?.mode)
      }
    })

    it('that could take long is stopped by the server', async () => {
      const { mongo, wire } = await wired(server(), { answerMs: 3_000 })
      const life = someLife()
      for (const call of Object.values(writesOf(mongo, life))) await call()
      for (const call of Object.values(readsOf(mongo, life))) await call()
      const limitless = wire.commands.filter(({ body }) => body.maxTimeMS !== 1_350)
      // The first look at the indexes, and pings.
      expect(new Set(limitless.map(({ name, body }) => `${name} ${body[name]}`))).toEqual(
        new Set([
          'find settings',
          'ping 1',
          ...['sessions', 'messages', 'leases', 'audit'].map((name) => `listIndexes ${name}`),
        ]),
      )
    })

    it('of the migration that writes asks for it too', async () => {
      const wire = await startMongoWire(server().port)
      onTestFinished(wire.close)
      const database = `chatbox_test_${randomUUID().slice(0, 8)}`
      await migrateMongo({ uri: `mongodb://127.0.0.1:${wire.port}/?directConnection=true`, database })
      const writes = wire.commands.filter((command) => isWrite(command) || command.name === 'createIndexes')
      expect(new Set(writes.map(({ name }) => name))).toEqual(new Set(['createIndexes', 'update']))
      for (const { body } of writes) expect(body.writeConcern).toMatchObject({ w: 'majority', j: true })
    })
  })

  describe('a reply that is lost after the write was done (fault 15)', () => {
    /** Everything on the server, but for the marks by which writes know their own. */
    const dump = async (db: Db): Promise<Document> => {
      const all: Document = {}
      for (const name of collectionNames) {
        const rows = await db.collection(name).find().sort({ _id: 1 }).toArray()
        all[name] = JSON.parse(JSON.stringify(rows, (key, value) => (isMark(key) ? undefined : value)))
      }
      for (const row of [...all.messages, ...all.audit]) delete row._id
      return all
    }
    const isMark = (key: string) => /^(op|\w+Op|until)$/.test(key)

    it('changes no outcome and doubles nothing, whatever the write was', async () => {
      const life = someLife()
      const retries: Retry[] = []
      const [smooth, rough] = [
        await wired(server()),
        await wired(server(), { onRetry: (retry) => retries.push(retry) }),
      ]
      const cut: string[] = []
      let armed: string | undefined
      rough.wire.onReply((command: MongoCommand) => {
        if (!armed || !isWrite(command)) return undefined
        cut.push(armed)
        armed = undefined
        return 'cut'
      })
      const calls = Object.entries(writesOf(rough.mongo, life))
      const same = writesOf(smooth.mongo, life)
      for (const [name, call] of calls) {
        armed = name
        expect([name, await call()]).toEqual([name, await same[name]?.()])
      }
      expect(cut).toEqual(calls.map(([name]) => name))
      expect(retries.length).toBeGreaterThanOrEqual(cut.length)
      expect(await rough.onServer(dump)).toEqual(await smooth.onServer(dump))
    })

    it('twice and three times is no different', async () => {
      const { mongo, wire, onServer } = await wired(server())
      let cuts = 3
      wire.onReply((command) => {
        if (!isWrite(command) || cuts === 0) return undefined
        cuts -= 1
        return 'cut'
      })
      const session = sealedSession()
      expect(await mongo.conversations.createSession(session)).toBe('created')
      cuts = 3
      expect(await mongo.conversations.insertTurn(sealedTurn(session.sid, 1))).toEqual({ kind: 'inserted' })
      cuts = 3
      expect(await mongo.conversations.changeSession(session.sid, 0, { msgCount: 1 })).toBe(true)
      expect(cuts).toBe(0)
      expect(await onServer((db) => db.collection('messages').countDocuments())).toBe(1)
      expect(await mongo.conversations.session(session.sid)).toMatchObject({ rev: 1, msgCount: 1 })
    })

    it('of many writes in one command gives each of them its own outcome', async () => {
      const { mongo, wire, onServer } = await wired(server())
      const { conversations } = mongo
      const sessions = Array.from({ length: 30 }, () => sealedSession())
      await Promise.all(sessions.map((session) => conversations.createSession(session)))
      const turns = sessions.map(({ sid }, i) => sealedTurn(sid, 1, { cmid: clientMessageId(`c-${i}`) }))
      // A third is there already: by place, or by message.
      for (const [i, turn] of turns.entries()) {
        if (i % 6 === 0) await conversations.insertTurn({ ...turn, cmid: clientMessageId(`of somebody else ${i}`) })
        if (i % 6 === 3) await conversations.insertTurn({ ...turn, seq: 7 })
      }
      let cuts = 0
      wire.onReply((command) =>
        command.name === 'insert' && command.body.documents.length > 1 && cuts++ === 0 ? 'cut' : undefined,
      )
      const outcomes = await Promise.all(turns.map((turn) => conversations.insertTurn(turn)))
      expect(cuts).toBeGreaterThan(1)
      const expected = ['place-taken', 'inserted', 'inserted', 'sent-before', 'inserted', 'inserted']
      expect(outcomes.map(({ kind }) => kind)).toEqual(turns.map((_, i) => expected[i % 6]))
      expect(await onServer((db) => db.collection('messages').countDocuments())).toBe(30)
    })

    it('to a change that lost its race stays a change that did not happen', async () => {
      const { mongo, wire } = await wired(server())
      const { conversations } = mongo
      const session = sealedSession()
      await conversations.createSession(session)
      await conversations.changeSession(session.sid, 0, { msgCount: 1 })
      let cuts = 1
      wire.onReply((command) => (isWrite(command) && cuts-- > 0 ? 'cut' : undefined))
      expect(await conversations.changeSession(session.sid, 0, { msgCount: 1 })).toBe(false)
      expect(await conversations.session(session.sid)).toMatchObject({ rev: 1 })
    })
  })

  describe('a duplicate key', () => {
    it('of a row that was lost with a primary since is no duplicate any more', async () => {
      const { mongo, wire, onServer } = await wired(server())
      const { conversations } = mongo
      const session = sealedSession()
      await conversations.createSession(session)
      await conversations.insertTurn(sealedTurn(session.sid, 1))
      const forget = (db: Db) => db.collection('messages').deleteMany({ sid: session.sid })
      let lost = 0
      wire.onReply((command) => {
        if (command.name !== 'insert' || lost > 0) return undefined
        lost += 1
        return onServer(forget).then(() => undefined)
      })
      const mine = sealedTurn(session.sid, 1)
      expect(await conversations.insertTurn(mine)).toEqual({ kind: 'inserted' })
      expect(lost).toBe(1)
      expect(await conversations.turns(session.sid, { limit: 5 })).toEqual([mine])
    })

    it('is told by what is there, and not by what the server says of it', async () => {
      const { mongo, wire } = await wired(server())
      const { conversations } = mongo
      const session = sealedSession()
      await conversations.createSession(session)
      await conversations.insertTurn(sealedTurn(session.sid, 1))
      const before = wire.commands.length
      expect(await conversations.insertTurn(sealedTurn(session.sid, 1))).toEqual({ kind: 'place-taken' })
      const after = wire.commands.slice(before).map(({ name }) => name)
      expect(after).toEqual(['insert', 'find'])
    })
  })

  describe('calls at once', () => {
    it('share commands: 100 turns, and the changes of their sessions, in one or two each', async () => {
      const { mongo, wire } = await wired(server(), { gatherMs: 20 })
      const { conversations } = mongo
      const sessions = Array.from({ length: 100 }, () => sealedSession())
      await Promise.all(sessions.map((session) => conversations.createSession(session)))
      const before = { at: wire.commands.length, ...mongo.counts }
      await Promise.all(sessions.map(({ sid }) => conversations.insertTurn(sealedTurn(sid, 1))))
      await Promise.all(sessions.map(({ sid }) => conversations.changeSession(sid, 0, { msgCount: 1 })))
      const totals = await Promise.all(sessions.map(({ sid }) => conversations.totals(sid)))
      const rows = await Promise.all(sessions.map(({ sid }) => conversations.session(sid)))
      expect(totals.every(({ lastSeq }) => lastSeq === 1)).toBe(true)
      expect(rows.map((row) => row?.sid)).toEqual(sessions.map(({ sid }) => sid))
      const names = wire.commands.slice(before.at).map(({ name }) => name)
      for (const name of ['insert', 'update', 'aggregate', 'find']) {
        expect(names.filter((each) => each === name).length, name).toBeLessThanOrEqual(2)
      }
      expect(mongo.counts.writes - before.writes).toBe(200)
      expect(mongo.counts.commits - before.commits).toBeLessThanOrEqual(4)
    })

    it('share commands, be they of another kind: answers that are begun, queued, ended, rated and settled', async () => {
      const { mongo, wire } = await wired(server(), { gatherMs: 20 })
      const { conversations } = mongo
      const questions = Array.from({ length: 100 }, () => sealedQuestion(sealedSession().sid, 1))
      await Promise.all(questions.map(({ sid }) => conversations.createSession(sealedSession({ sid }))))
      await Promise.all(questions.map((question) => conversations.insertTurn(question)))
      for (const { sid, answer } of questions.slice(60)) await conversations.endAnswer(sid, answer.answerId, END)
      const before = wire.commands.length
      const outcomes = await Promise.all(
        questions.map(({ sid, answer: { answerId } }, i) => {
          if (i < 20) return conversations.beginAttempt(sid, answerId, 0, 'fresh')
          if (i < 40) return conversations.changePending(sid, answerId, { n: 0 }, { due: 5 })
          if (i < 60) return conversations.endAnswer(sid, answerId, END, 0)
          if (i < 80) return conversations.rateAnswer(sid, answerId, { rating: 'up', ts: 5 })
          return conversations.settle(sid, 1, answerId)
        }),
      )
      expect(outcomes.slice(0, 20).map((begun) => typeof begun === 'object' && begun.turn.answer?.attempt)).toEqual(
        Array.from({ length: 20 }, () => 1),
      )
      expect(outcomes.slice(20, 80)).toEqual(Array.from({ length: 60 }, () => true))
      const [turns, same] = [
        await Promise.all(questions.map(({ sid }) => conversations.turn(sid, 1))),
        await Promise.all(questions.map(({ sid, answer }) => conversations.turnByAnswerId(sid, answer.answerId))),
      ]
      expect(turns.map((turn) => [turn?.sid, turn?.unsettled])).toEqual(questions.map(({ sid }, i) => [sid, i < 80]))
      expect(same).toEqual(turns)
      const names = wire.commands.slice(before).map(({ name, body }) => `${name} ${body[name]}`)
      // Attempts read what they began, and its session; and then all of the rows are read twice.
      expect(countsOf(names)).toEqual({ 'update messages': 1, 'find messages': 3, 'find sessions': 1 })
    })

    it('of a replica that renews its leases are one, which tells each whether it is still its own', async () => {
      const { mongo, wire } = await wired(server())
      const { leases } = mongo
      const [ada, ben] = [replicaId('ada'), replicaId('ben')]
      const partitions = Array.from({ length: 40 }, (_, i) => i)
      const owners = partitions.map((partition) => (partition % 4 === 3 ? ben : ada))
      await Promise.all(partitions.map((partition) => leases.acquire(partition, owners[partition] ?? ada, 60_000)))
      const renewAll = async (gen: (partition: number) => number, ttlMs: (partition: number) => number) => {
        const before = wire.commands.length
        const renewed = await Promise.all(
          partitions.map((partition) => leases.renew({ partition, gen: gen(partition), owner: ada }, ttlMs(partition))),
        )
        return { renewed, names: countsOf(wire.commands.slice(before).map(({ name }) => name)) }
      }
      expect(
        await renewAll(
          () => 1,
          () => 60_000,
        ),
      ).toEqual({ renewed: owners.map((owner) => owner === ada), names: { update: 1, find: 1 } })
      expect(
        await renewAll(
          (partition) => (partition === 5 ? 2 : 1),
          (partition) => (partition < 20 ? 60_000 : 90_000),
        ),
      ).toEqual({
        renewed: owners.map((owner, partition) => owner === ada && partition !== 5),
        names: { update: 2, find: 2 },
      })
      const own = partitions.filter((partition) => owners[partition] === ada)
      const before = wire.commands.length
      await Promise.all(own.map((partition) => leases.renew({ partition, gen: 1, owner: ada }, 60_000)))
      expect(wire.commands.slice(before).map(({ name }) => name)).toEqual(['update'])
    })

    it('of sweepers are one query for all partitions, as long as what they find fits into one page', async () => {
      const { mongo, wire } = await wired(server())
      const { conversations } = mongo
      const partitions = Array.from({ length: 20 }, (_, i) => i)
      const turns = partitions.flatMap((partition) =>
        // None in the first, one in the second, and so on, the latest first.
        Array.from({ length: partition % 4 }, (_, i) =>
          sealedTurn(sessionId(`s-${9 - i}`), partition, { partition, ts: i % 2 }),
        ),
      )
      for (const turn of turns) await conversations.insertTurn(turn)
      const expected = partitions.map((partition) =>
        turns.filter((turn) => turn.partition === partition).sort((a, b) => a.ts - b.ts || (a.sid < b.sid ? -1 : 1)),
      )
      for (const [limit, queries] of [
        [30, 1],
        [29, 21],
        [2, 21],
      ] as const) {
        const before = wire.commands.length
        const pages = await Promise.all(partitions.map((partition) => conversations.unsettledOf(partition, limit)))
        expect(pages).toEqual(expected.map((page) => page.slice(0, limit)))
        expect(wire.commands.slice(before).map(({ name }) => name)).toEqual(
          Array.from({ length: queries }, () => 'find'),
        )
      }
      expect(turns).toHaveLength(30)
    })

    it('about the tokens that users have spent are two queries, and tell each its own', async () => {
      const { mongo, wire } = await wired(server())
      const { conversations } = mongo
      const users = Array.from({ length: 50 }, (_, i) => userId(`user-${i}`))
      const questions = users.map((authorId) => sealedQuestion(sealedSession().sid, 1, { authorId }))
      await Promise.all(questions.map((question) => conversations.insertTurn(question)))
      await Promise.all(
        questions.slice(10).map(({ sid, answer: { answerId: id } }, i) => {
          const usage = { inputTokens: i, outputTokens: 1, estimated: false }
          return conversations.endAnswer(sid, id, { ...END, usage })
        }),
      )
      const [{ sid, answer }] = questions.slice(20) as [(typeof questions)[number]]
      await conversations.supersede(sid, 1, answer.answerId, { ...answer, answerId: answerId('the-next') })
      const before = wire.commands.length
      const sums = await Promise.all([...users, ...users].map((uid) => conversations.tokensSince(uid, 5)))
      const spent = users.map((_, i) => (i < 10 ? 0 : i - 9))
      expect(sums).toEqual([...spent, ...spent])
      expect(wire.commands.slice(before).map(({ name }) => name)).toEqual(['aggregate', 'aggregate'])
    })

    it('tell each what has become of it, where another of them did not happen and the answer was superseded since', async () => {
      const { mongo, wire, database } = await wired(server(), { gatherMs: 20 })
      const { conversations } = mongo
      const questions = Array.from({ length: 3 }, () => sealedQuestion(sealedSession().sid, 1))
      await Promise.all(questions.map(({ sid }) => conversations.createSession(sealedSession({ sid }))))
      await Promise.all(questions.map((question) => conversations.insertTurn(question)))
      const [first, second, third] = questions
      if (!first || !second || !third) throw new Error('three were asked')
      const other = openMongo({ uri: server().url, database })
      onTestFinished(other.close)
      let superseded = false
      wire.onReply((command) => {
        if (superseded || command.name !== 'update') return undefined
        const next = { ...first.answer, answerId: answerId('the next') }
        return other.conversations.supersede(first.sid, 1, first.answer.answerId, next).then((done) => {
          superseded = done
        })
      })
      const outcomes = await Promise.all([
        conversations.endAnswer(first.sid, first.answer.answerId, END),
        conversations.endAnswer(second.sid, second.answer.answerId, END, 7),
        conversations.settle(third.sid, 1, third.answer.answerId),
      ])
      expect(superseded).toBe(true)
      expect(outcomes).toEqual([true, false, undefined])
    })

    it('of one session are never in one command, and go in the order in which they were asked for (R4)', async () => {
      const { mongo, wire } = await wired(server())
      const { conversations } = mongo
      const sids = Array.from({ length: 8 }, (_, i) => sessionId(`s-${i}`))
      await Promise.all(sids.map((sid) => conversations.createSession(sealedSession({ sid }))))
      await Promise.all(
        [1, 2, 3, 4, 5].flatMap((seq) => sids.map((sid) => conversations.insertTurn(sealedTurn(sid, seq)))),
      )
      const groups = wire.commands
        .filter(({ name, body }) => name === 'insert' && body.insert === 'messages')
        .map(({ body }): { sid: string; seq: number }[] => body.documents)
      for (const group of groups) expect(new Set(group.map(({ sid }) => sid)).size).toBe(group.length)
      for (const sid of sids) {
        const seqs = groups.flatMap((group) => group.filter((row) => row.sid === sid).map(({ seq }) => seq))
        expect(seqs).toEqual([1, 2, 3, 4, 5])
      }
      expect(groups.length).toBeLessThan(40)
    })
  })

  const countsOf = (names: readonly string[]) =>
    Object.fromEntries([...new Set(names)].map((name) => [name, names.filter((each) => each === name).length]))

  it('holds neither a name nor an id in what is told of a retry (X4)', async () => {
    const retries: Retry[] = []
    const { mongo, wire } = await wired(server(), { onRetry: (retry) => retries.push(retry) })
    let cuts = 1
    wire.onReply((command) => (isWrite(command) && cuts-- > 0 ? 'cut' : undefined))
    const session = sealedSession({ sid: sessionId('a-canary-session') })
    await mongo.conversations.createSession(session)
    expect(retries).toMatchObject([{ what: 'create a session', attempt: 1 }])
    const { inspect } = await import('node:util')
    expect(inspect(retries, { depth: 9 })).not.toContain('a-canary')
  })
})
