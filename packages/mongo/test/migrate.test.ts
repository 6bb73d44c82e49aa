import { inspect } from 'node:util'
import { Unavailable } from '@chatbox/core'
import { checkMongo, migrateMongo, openMongo, type Retry } from '@chatbox/mongo'
import { sealedSession, sealedTurn } from '@chatbox/testkit/rows'
import type { Db } from 'mongodb'
import { describe, expect, it, onTestFinished } from 'vitest'
import { indexes } from '../src/indexes.ts'
import { asked, onMongo, someDatabase } from './support/server.ts'

const all = Object.entries(indexes).flatMap(([collection, list]) =>
  list.map(({ name }) => ({ collection, index: name, name: `${collection}.${name}` })),
)

await onMongo('the migration', (server) => {
  /** A database that nobody has migrated. */
  function fresh() {
    const place = { uri: server().url, database: someDatabase() }
    const change = <T>(act: (db: Db) => Promise<T>) => asked(place.uri, (client) => act(client.db(place.database)))
    onTestFinished(() => change((db) => db.dropDatabase()).then(() => undefined))
    const open = () => {
      const mongo = openMongo({ ...place, answerMs: 1_000 })
      onTestFinished(mongo.close)
      return mongo
    }
    return { place, change, open }
  }

  it('makes every index, says which, and nothing the second time', async () => {
    const { place } = fresh()
    expect(await checkMongo(place)).toEqual(
      all.map(({ collection, index }) => ({ collection, index, fault: 'missing' })),
    )
    expect((await migrateMongo(place)).created).toEqual(all.map(({ name }) => name))
    expect(await checkMongo(place)).toEqual([])
    expect((await migrateMongo(place)).created).toEqual([])
    expect(await checkMongo(place)).toEqual([])
  })

  it('may be run by eight at once', async () => {
    const { place } = fresh()
    await Promise.all(Array.from({ length: 8 }, () => migrateMongo(place)))
    expect(await checkMongo(place)).toEqual([])
  })

  it('has the names that people look for (D2)', () => {
    const names = all.map(({ index }) => index)
    for (const name of ['idx_user_id', 'idx_start_time', 'idx_admin_assisted', 'idx_user_start_time']) {
      expect(names).toContain(name)
    }
  })

  it('changes nothing by a check', async () => {
    const { place, change } = fresh()
    await checkMongo(place)
    expect(await change((db) => db.listCollections().toArray())).toEqual([])
  })

  describe('that was not run, or undone,', () => {
    it('is told by a ping and by a check, names what is missing, and has every call refused', async () => {
      const { open } = fresh()
      const { conversations, leases, check } = open()
      await expect(conversations.ping()).rejects.toMatchObject({ name: 'StoreError', code: 'unmigrated' })
      await expect(conversations.ping()).rejects.toThrow(/lacks .*messages\.idx_sid_seq.*: run the migration/)
      expect(await check()).toHaveLength(all.length)
      await expect(conversations.createSession(sealedSession())).rejects.toBeInstanceOf(Unavailable)
      await expect(leases.partitionCount(64)).rejects.toBeInstanceOf(Unavailable)
    })

    it('is noticed when it has run, without a restart, and nothing was written before', async () => {
      const { place, change, open } = fresh()
      const { conversations } = open()
      const session = sealedSession()
      await expect(conversations.createSession(session)).rejects.toThrow(/run the migration/)
      expect(await change((db) => db.collection('sessions').countDocuments())).toBe(0)
      await migrateMongo(place)
      await expect.poll(() => conversations.createSession(session).catch(String), { timeout: 10_000 }).toBe('created')
      await expect(conversations.ping()).resolves.toBeUndefined()
    })

    it('is noticed where any one index is missing, and mended', async () => {
      const { place, change } = fresh()
      await migrateMongo(place)
      for (const { collection, index, name } of all) {
        await change((db) => db.collection(collection).dropIndex(index))
        expect(await checkMongo(place)).toEqual([{ collection, index, fault: 'missing' }])
        expect((await migrateMongo(place)).created).toEqual([name])
      }
    })
  })

  it.each([
    ['not unique', { key: { sid: 1, seq: 1 } }],
    ['of other keys', { key: { seq: 1, sid: 1 }, unique: true }],
    ['the other way round', { key: { sid: 1, seq: -1 }, unique: true }],
    ['partial', { key: { sid: 1, seq: 1 }, unique: true, partialFilterExpression: { width: 1 } }],
  ] as const)('leaves an index that is %s to a person, and says so', async (_what, description) => {
    const { place, change, open } = fresh()
    await change((db) => db.collection('messages').createIndexes([{ name: 'idx_sid_seq', ...description }]))
    await expect(migrateMongo(place)).rejects.toMatchObject({
      code: 'unmigrated',
      message: 'These are not as they have to be: messages.idx_sid_seq. Drop them, and run the migration.',
    })
    expect(await checkMongo(place)).toEqual([{ collection: 'messages', index: 'idx_sid_seq', fault: 'differs' }])
    await expect(open().conversations.ping()).rejects.toMatchObject({ code: 'unmigrated' })
  })

  it('leaves indexes alone that are none of ours', async () => {
    const { place, change, open } = fresh()
    await change((db) => db.collection('messages').createIndex({ kind: 1 }, { name: 'of_somebody_else' }))
    await migrateMongo(place)
    await expect(open().conversations.ping()).resolves.toBeUndefined()
    expect(await change((db) => db.collection('messages').indexExists('of_somebody_else'))).toBe(true)
  })

  it('fails where a unique index can’t be made, because rows are there twice, and does not quote them (X4)', async () => {
    const { place, change } = fresh()
    await change((db) => db.collection('messages').insertMany([1, 2].map(() => ({ sid: 'a-canary', seq: 1 }))))
    const retries: Retry[] = []
    const fault = await migrateMongo({ ...place, retryMs: 500, onRetry: (retry) => retries.push(retry) }).then(
      () => undefined,
      (error: unknown) => error,
    )
    // MongoDB says that a key is there twice; not every server that speaks its protocol has a number for it.
    expect(fault).toBeInstanceOf(Error)
    expect(inspect([fault, retries], { depth: 9 })).not.toContain('a-canary')
    expect(await checkMongo(place)).toContainEqual({ collection: 'messages', index: 'idx_sid_seq', fault: 'missing' })
  })

  it('goes on over rows that are there', async () => {
    const { place, change, open } = fresh()
    await migrateMongo(place)
    const { conversations } = open()
    const session = sealedSession()
    await conversations.createSession(session)
    await conversations.insertTurn(sealedTurn(session.sid, 1))
    await change((db) => db.collection('messages').dropIndex('idx_sid_spent'))
    await migrateMongo(place)
    expect(await conversations.turns(session.sid, { limit: 5 })).toHaveLength(1)
  })

  it('of a later version is left alone, and said to be so', async () => {
    const { place, change, open } = fresh()
    await migrateMongo(place)
    await change((db) => db.collection('settings').updateOne({ _id: 'layout' as never }, { $set: { value: 99 } }))
    for (const act of [() => migrateMongo(place), () => checkMongo(place), () => open().conversations.ping()]) {
      await expect(act()).rejects.toMatchObject({ name: 'StoreError', code: 'newer' })
    }
    await expect(open().conversations.session(sealedSession().sid)).rejects.toBeInstanceOf(Unavailable)
  })
})
