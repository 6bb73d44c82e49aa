import { Redis } from 'ioredis'
import { BSON, type Document, MongoClient } from 'mongodb'

/** One thing that a store holds, and what it is called there. */
export interface Held {
  readonly place: string
  readonly bytes: Buffer
}

/** A document as it is stored, and as it can be looked at. */
export interface HeldDocument extends Held {
  readonly collection: string
  readonly document: Document
}

/** Every document of every collection of a database. */
export async function documentsOf(url: string, database: string): Promise<HeldDocument[]> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000, promoteBuffers: true })
  try {
    const db = client.db(database)
    const names = (await db.listCollections().toArray()).map(({ name }) => name)
    const lists = await Promise.all(
      names.map(async (collection) => {
        const documents = await db.collection(collection).find().toArray()
        return documents.map((document) => ({
          collection,
          document,
          place: `${collection} ${String(document._id)}`,
          bytes: Buffer.from(BSON.serialize(document)),
        }))
      }),
    )
    return lists.flat()
  } finally {
    await client.close()
  }
}

/** Every key of a Redis with everything that is in it, of whatever type it is; streams with the ids and fields of their entries. */
export async function keysOf(url: string): Promise<Held[]> {
  const redis = new Redis(url)
  try {
    const held: Held[] = []
    let cursor = '0'
    do {
      const [next, keys] = await redis.scan(cursor, 'COUNT', 1_000)
      cursor = next
      for (const key of keys) held.push({ place: key, bytes: await contentOf(redis, key) })
    } while (cursor !== '0')
    return held
  } finally {
    redis.disconnect()
  }
}

const READ: Readonly<Record<string, readonly [command: string, ...args: string[]]>> = {
  string: ['GET'],
  list: ['LRANGE', '0', '-1'],
  set: ['SMEMBERS'],
  zset: ['ZRANGE', '0', '-1', 'WITHSCORES'],
  hash: ['HGETALL'],
  stream: ['XRANGE', '-', '+'],
}

async function contentOf(redis: Redis, key: string): Promise<Buffer> {
  const type = await redis.type(key)
  // It has run out meanwhile.
  if (type === 'none') return Buffer.alloc(0)
  const read = READ[type]
  if (!read) throw new Error(`nobody knows how to read the ${type} ${key}`)
  const [command, ...args] = read
  return Buffer.concat([Buffer.from(`${key}\n`), ...flat(await redis.callBuffer(command, key, ...args))])
}

const flat = (reply: unknown): Buffer[] => {
  if (Array.isArray(reply)) return reply.flatMap(flat)
  if (reply === null) return []
  return [Buffer.isBuffer(reply) ? reply : Buffer.from(String(reply)), Buffer.from('\n')]
}
