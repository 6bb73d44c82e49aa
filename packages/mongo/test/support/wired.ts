import { type MongoOptions, migrateMongo, openMongo } from '@chatbox/mongo'
import { startMongoWire } from '@chatbox/testkit/mongo-wire'
import type { Db } from 'mongodb'
import { onTestFinished } from 'vitest'
import { asked, someDatabase, type TestMongo } from './server.ts'

/** The adapter over a database of the test's own, and the wire between them. */
export async function wired({ url, port }: Pick<TestMongo, 'url' | 'port'>, options: Partial<MongoOptions> = {}) {
  const database = someDatabase()
  await migrateMongo({ uri: url, database })
  const wire = await startMongoWire(port)
  const mongo = openMongo({ uri: `mongodb://127.0.0.1:${wire.port}/?directConnection=true`, database, ...options })
  const onServer = <T>(act: (db: Db) => Promise<T>): Promise<T> => asked(url, (client) => act(client.db(database)))
  onTestFinished(async () => {
    wire.thaw()
    await mongo.close()
    await wire.close()
    await onServer((db) => db.dropDatabase())
  })
  return { mongo, wire, database, onServer }
}

export const isWrite = ({ name }: { readonly name: string }): boolean =>
  ['insert', 'update', 'delete', 'findAndModify'].includes(name)
