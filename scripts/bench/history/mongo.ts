import { randomBytes, randomUUID } from 'node:crypto'
import { createKeyring, sealedConversations } from '@chatbox/crypto'
import { migrateMongo, openMongo } from '@chatbox/mongo'
import { Binary, type Collection, type Db, type Document, MongoClient, ObjectId } from 'mongodb'
import type { Examined, Filled } from './pages.ts'
import { activityOf, copiedOf, LONG_SESSION, type Range, seqOf, sidOf, writeRows } from './rows.ts'

const AT_ONCE = 1_000
const MOST_MS = 600_000

export interface MongoServer {
  readonly client: MongoClient
  /** What it is, for the table. */
  readonly name: string
  /** Whether it tells what it has looked at. */
  readonly tells: boolean
}

export async function connectMongo(url: string): Promise<MongoServer> {
  const client = await new MongoClient(url, { socketTimeoutMS: MOST_MS }).connect()
  const info = await client.db('admin').command({ buildInfo: 1 })
  const other: Document | undefined = info.ferretdb
  return {
    client,
    name: other ? `FerretDB ${other.version}` : `MongoDB ${info.version}`,
    tells: other === undefined,
  }
}

export async function fillMongo(url: string, { client, tells }: MongoServer, count: number): Promise<Filled> {
  const database = `chatbox_history_${randomUUID().slice(0, 8)}`
  const begun = performance.now()
  await migrateMongo({ uri: url, database })
  const keyring = createKeyring({ keys: [{ id: 'k1', key: randomBytes(32) }] })
  const mongo = openMongo({ uri: url, database })
  const { conversations: stored } = mongo
  const conversations = sealedConversations(stored, keyring, { onUnopenable: unopenable })
  await writeRows(conversations, count)
  const db = client.db(database)
  for (const range of copiedOf(count)) await copyRows(db, range)
  const seconds = (performance.now() - begun) / 1_000
  return {
    conversations,
    stored,
    seconds,
    examined: async (read) => (tells ? examinedBy(db, read) : undefined),
    async close() {
      await mongo.close()
      await db.dropDatabase()
    },
  }
}

const unopenable = () => {
  throw new Error('what was sealed a moment ago does not open')
}

async function copyRows(db: Db, range: Range): Promise<void> {
  const [sessions, messages] = [db.collection('sessions'), db.collection('messages')]
  const turn = await theOne(messages, { sid: LONG_SESSION })
  const session = await theOne(sessions, { _id: sidOf(0) } as Document)
  const line = await theOne(messages, { sid: sidOf(0) })
  const id = () => randomBytes(11).toString('hex')
  for (let [from, to] = range; from < to; from += AT_ONCE) {
    const rows = Array.from({ length: Math.min(AT_ONCE, to - from) }, (_, i) => from + i)
    const sids = rows.map(id)
    await messages.insertMany(
      rows.map((row) => ({
        ...{ ...turn, _id: new ObjectId(), seq: seqOf(row), cmid: id(), content: other(turn.content) },
        answer: { ...turn.answer, answerId: id(), text: other(turn.answer.text) },
      })),
      { ordered: false },
    )
    await sessions.insertMany(
      rows.map((row, i) => ({
        ...{ ...session, _id: sids[i] as never, lastActivity: activityOf(row), key: other(session.key) },
        ...{ nm: other(session.nm), preview: other(session.preview) },
      })),
      { ordered: false },
    )
    await messages.insertMany(
      sids.map((sid) => ({ ...line, _id: new ObjectId(), sid, cmid: id(), content: other(line.content) })),
      { ordered: false },
    )
  }
}

const other = (value: Binary): Binary => new Binary(randomBytes(value.length()))

async function theOne(collection: Collection, filter: Document): Promise<Document> {
  const found = await collection.findOne(filter)
  if (!found) throw new Error('a row that was written is not there')
  return found
}

/** By the server's own profiler, of the very commands that the product sends. */
async function examinedBy(db: Db, read: () => Promise<unknown>): Promise<Examined> {
  await db.command({ profile: 0 })
  await db.dropCollection('system.profile')
  await db.command({ profile: 2 })
  await read()
  await db.command({ profile: 0 })
  const commands = await db
    .collection('system.profile')
    .find({ op: { $in: ['query', 'getmore', 'command'] }, keysExamined: { $gte: 0 } })
    .toArray()
  const sum = (name: string) => commands.reduce((total, command) => total + Number(command[name]), 0)
  return { keys: sum('keysExamined'), documents: sum('docsExamined') }
}
