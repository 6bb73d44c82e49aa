import { randomUUID } from 'node:crypto'
import { type Mongo, type MongoOptions, migrateMongo, openMongo } from '@chatbox/mongo'
import { available, type RunningServer, startMongo } from '@chatbox/testkit/servers'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, describe } from 'vitest'
import { collectionNames } from '../../src/collections.ts'

export interface TestMongo {
  readonly url: string
  readonly port: number
  readonly pid: number | undefined
  /** SIGKILL; `restart` brings it back where it was. */
  kill(): Promise<void>
  restart(): Promise<void>
}

/** A suite on a server of the file's own. */
export async function onMongo(name: string, suite: (server: () => TestMongo) => void): Promise<void> {
  const there = await available('mongo')
  describe.skipIf(!there)(name, () => {
    let running: RunningServer | undefined
    const server = (): RunningServer => {
      if (!running) throw new Error('the server of this suite has not started')
      return running
    }
    beforeAll(async () => {
      running = await startMongo()
    })
    afterAll(() => running?.stop())
    suite(() => {
      const { url, port, pid, dir, kill } = server()
      return {
        ...{ url, port, pid, kill },
        async restart() {
          running = await startMongo({ port, dir })
        },
      }
    })
  })
}

/** Nobody kills a server that somebody else runs. */
export const mayKill = process.env.MONGODB_TEST_URI === undefined

export const someDatabase = (): string => `chatbox_test_${randomUUID().slice(0, 8)}`

export interface Opened {
  readonly mongo: Mongo
  readonly database: string
  /** Closes, and leaves nothing on the server. */
  close(): Promise<void>
}

/** The adapter over a database of its own, migrated. */
export async function openedOn({ url }: Pick<TestMongo, 'url'>, options: Partial<MongoOptions> = {}): Promise<Opened> {
  const database = someDatabase()
  await migrateMongo({ uri: url, database })
  const mongo = openMongo({ uri: url, database, ...options })
  return {
    mongo,
    database,
    async close() {
      await mongo.close()
      await asked(url, (client) => client.db(database).dropDatabase())
    },
  }
}

/** The same for one test after the other, with one database, which is emptied in between: its indexes take longer than many a test. */
export function reopenedOn(server: () => TestMongo, options: Partial<MongoOptions> = {}) {
  let database: string | undefined
  afterAll(() => database && asked(server().url, (client) => client.db(database).dropDatabase()))

  return async (): Promise<Opened & { later(): Mongo }> => {
    const { url: uri } = server()
    const name = database ?? someDatabase()
    if (!database) await migrateMongo({ uri, database: name })
    database = name
    const opened: Mongo[] = []
    const open = () => {
      const mongo = openMongo({ uri, database: name, ...options })
      opened.push(mongo)
      return mongo
    }
    return {
      mongo: open(),
      database: name,
      later: open,
      async close() {
        await Promise.all(opened.map((mongo) => mongo.close()))
        await asked(uri, async (client) => {
          const db = client.db(name)
          for (const collection of collectionNames) await db.collection(collection).deleteMany()
        })
      },
    }
  }
}

/** What a client of a test's own is told. */
export async function asked<T>(url: string, question: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000 })
  try {
    return await question(client)
  } finally {
    await client.close()
  }
}
