import {
  decodeOutcome,
  type EntryBody,
  encodeEntry,
  partitionOf,
  requestId,
  sessionId,
  type UserId,
} from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { createStorage, type StorageDeps } from '../src/index.ts'
import { type Bench, bench, user } from './fixture.ts'
import { exchange, until } from './talk.ts'

const alice = user('alice')
const partition = partitionOf(alice, 64)
/** Of the same partition, each with a line of work of its own. */
const others: readonly UserId[] = Array.from({ length: 2_000 }, (_, i) => user(`other-${i}`))
  .filter((uid) => partitionOf(uid, 64) === partition)
  .slice(0, 3)

let b: Bench
afterEach(() => b.close())

const renaming = (uid: UserId, id: string): EntryBody => ({
  kind: 'session.rename',
  uid,
  sid: sessionId(`${uid}-session`),
  name: `named by ${id}`,
  requestId: requestId(id),
})

/** Puts entries on the log of a service that has stopped. */
async function leave(entries: readonly EntryBody[], ttlMs?: number): Promise<void> {
  for (const entry of entries) {
    const packet = encodeEntry(entry)
    const taken = await b.deps.fabric.ingest.append({ partition, packet, ...(ttlMs !== undefined && { ttlMs }) })
    expect(taken).toBe('taken')
  }
}

/** Readers that begin with what is there, one after the other, and die of it. Gives the log's time. */
async function dieOver(entries: number, times: number): Promise<number> {
  let time = 0
  for (let i = 0; i < times; i += 1) {
    const source = await b.deps.fabric.ingest.own(partition)
    const read = await source.read(100, AbortSignal.timeout(5_000))
    expect(read.entries).toHaveLength(entries)
    time = read.now
    await source.close()
  }
  return time
}

/** The next owner works until nothing waits any more. */
async function next(wrap: (deps: StorageDeps) => StorageDeps = (deps) => deps): Promise<void> {
  const storage = createStorage(wrap(b.deps), { times: { leaseMs: 2_000, sweepMs: 3_600_000 } })
  await storage.start()
  try {
    await until(async () => (await b.deps.fabric.ingest.backlog(partition)).waiting === 0, 'nothing waits')
  } finally {
    await storage.stop(AbortSignal.timeout(5_000))
  }
}

async function outcome(id: string) {
  const packet = await b.deps.fabric.ingest.outcome(partition, requestId(id))
  return packet && decodeOutcome(packet)
}

const nameOf = async (uid: UserId) => (await b.conversations.session(sessionId(`${uid}-session`)))?.nm

async function stoppedWith(...users: readonly UserId[]): Promise<void> {
  b = await bench({ times: { sweepMs: 3_600_000 } })
  for (const uid of users) await exchange(b, uid, sessionId(`${uid}-session`))
  await b.storage.stop(AbortSignal.timeout(5_000))
}

describe('an entry that was begun before (R7)', () => {
  it('is put aside unseen once three readers have died of it, with those around it done', async () => {
    await stoppedWith(alice, ...others)
    const [deadly, ...rest] = [alice, ...others].map((uid, i) => renaming(uid, `request-${i}`)) as [EntryBody]
    await leave([deadly])
    await dieOver(1, 3)
    await leave(rest)
    await next()
    expect(await outcome('request-0')).toEqual({ ok: false, code: 'internal' })
    expect(await nameOf(alice)).not.toContain('named by')
    for (const [i, uid] of others.entries()) expect(await nameOf(uid)).toBe(`named by request-${i + 1}`)
    expect(await b.deps.fabric.ingest.deadLetters(partition)).toMatchObject([
      { requestId: 'request-0', kind: 'session.rename', reason: 'failed', tries: 4 },
    ])
    expect(await b.counted('storage_dead_letters_total')).toEqual({ 'kind="session.rename"': 1 })
  })

  it('takes nobody with it who only came behind it', async () => {
    await stoppedWith(alice, ...others)
    await leave([alice, ...others].map((uid, i) => renaming(uid, `request-${i}`)))
    await dieOver(4, 1)
    await dieOver(1, 2)
    await next()
    expect(await outcome('request-0')).toEqual({ ok: false, code: 'internal' })
    for (const [i, uid] of others.entries()) expect(await nameOf(uid)).toBe(`named by request-${i + 1}`)
  })

  it('is worked on as long as it was begun no more than twice', async () => {
    await stoppedWith(alice)
    await leave([renaming(alice, 'request-0')])
    await dieOver(1, 2)
    await next()
    expect(await outcome('request-0')).toEqual({ ok: true })
    expect(await nameOf(alice)).toBe('named by request-0')
  })

  it.each([
    ['is tried alone after a reader has died of its batch', 1, 1],
    ['was not, and is worked on beside those of other users', 0, 4],
  ])('%s', async (_what, deaths, most) => {
    const users = [alice, ...others]
    await stoppedWith(...users)
    await leave(users.map((uid, i) => renaming(uid, `request-${i}`)))
    await dieOver(users.length, deaths)
    const under = { way: 0, most: 0 }
    await next((deps) => ({
      ...deps,
      conversations: {
        ...deps.conversations,
        async changeSession(...args) {
          under.way += 1
          under.most = Math.max(under.most, under.way)
          await until(() => under.most >= most, 'so many are under way at once')
          // More than that would have had their turn, too.
          for (let i = 0; i < 10; i += 1) await new Promise(setImmediate)
          under.way -= 1
          return deps.conversations.changeSession(...args)
        },
      },
    }))
    expect(under).toEqual({ way: 0, most })
    for (const [i, uid] of users.entries()) expect(await nameOf(uid)).toBe(`named by request-${i}`)
  })

  it.each([
    ['`unavailable`, because whoever began may have done it', 1, 'unavailable'],
    ['`expired` where nobody has begun', 0, 'expired'],
  ])('is answered past its time with %s (R9)', async (_what, deaths, code) => {
    await stoppedWith(alice)
    const ttlMs = 20
    await leave([renaming(alice, 'request-0')], ttlMs)
    const from = await b.deps.fabric.ingest.now()
    await dieOver(1, deaths)
    await until(async () => (await b.deps.fabric.ingest.now()) > from + ttlMs, 'its time is up')
    await next()
    expect(await outcome('request-0')).toEqual({ ok: false, code })
    expect(await nameOf(alice)).not.toContain('named by')
  })
})
