import { type SessionId, sessionId, Unavailable } from '@chatbox/core'
import { type Mongo, migrateMongo, openMongo, type Retry } from '@chatbox/mongo'
import { startMongoWire } from '@chatbox/testkit/mongo-wire'
import { sealedSession, sealedTurn } from '@chatbox/testkit/rows'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readsOf, someLife, writesOf } from './support/life.ts'
import { asked, mayKill, onMongo, openedOn, someDatabase } from './support/server.ts'
import { wired } from './support/wired.ts'

/** Time after time, as storage does, until there is an answer. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
    }
  }
}

await onMongo('a server', (server) => {
  describe('that hangs', () => {
    it('has every call answered in its time, and is used again when it goes on', async () => {
      const { mongo, wire } = await wired(server(), { answerMs: 600 })
      const life = someLife()
      await mongo.conversations.createSession(life.session)
      wire.freeze()
      const start = performance.now()
      const calls = Object.entries({ ...writesOf(mongo, life), ...readsOf(mongo, life) })
      const outcomes = await Promise.all(
        calls.map(([name, call]) =>
          call().then(
            () => `${name} was done`,
            (error: unknown) => (error instanceof Unavailable ? 'unavailable' : `${name}: ${error}`),
          ),
        ),
      )
      expect(new Set(outcomes)).toEqual(new Set(['unavailable']))
      // All at once, and most of them changes of one session, which wait for each other.
      expect(performance.now() - start).toBeLessThan(5_000)
      wire.thaw()
      expect(await insist(() => mongo.conversations.session(life.session.sid))).toMatchObject({ sid: life.session.sid })
      await expect.poll(() => mongo.conversations.ping().then(() => 'there', String)).toBe('there')
    })
  })

  describe('that is away at the start', () => {
    it('is used as soon as it is there', async () => {
      const { mongo, wire } = await wired(server(), { answerMs: 600 })
      wire.freeze()
      const session = sealedSession()
      for (let time = 0; time < 2; time += 1) {
        await expect(mongo.conversations.createSession(session)).rejects.toBeInstanceOf(Unavailable)
        await expect(mongo.conversations.ping()).rejects.toBeInstanceOf(Unavailable)
      }
      wire.thaw()
      expect(await insist(() => mongo.conversations.createSession(session))).toBe('created')
      await expect.poll(() => mongo.conversations.ping().then(() => 'there', String)).toBe('there')
    })

    it('is migrated as soon as it is there', async () => {
      const wire = await startMongoWire(server().port)
      onTestFinished(wire.close)
      wire.freeze()
      const place = { uri: `mongodb://127.0.0.1:${wire.port}/?directConnection=true`, database: someDatabase() }
      onTestFinished(() =>
        asked(server().url, (client) => client.db(place.database).dropDatabase()).then(() => undefined),
      )
      const migrating = migrateMongo({ ...place, onRetry: wire.thaw })
      expect((await migrating).created).toContain('messages.idx_sid_seq')
    })
  })

  describe.skipIf(!mayKill)('that is killed', () => {
    it('and started again in the midst of writes has all that were told done, once and in order', async () => {
      const retries: Retry[] = []
      let killed: Promise<void> | undefined
      const { mongo, close } = await openedOn(server(), { onRetry: (retry) => killed && retries.push(retry) })
      onTestFinished(close)
      const { conversations } = mongo
      const told = new Map<SessionId, number[]>()
      const [sids, goal] = [Array.from({ length: 12 }, (_, i) => sessionId(`s-${i}`)), 60]
      let done = 0
      let overKill = 0

      const restart = async () => {
        await server().kill()
        await server().restart()
      }
      async function write(sid: SessionId): Promise<void> {
        await insist(() => conversations.createSession(sealedSession({ sid })))
        const seqs: number[] = []
        told.set(sid, seqs)
        let unknown = false
        for (let seq = 1; seq <= goal; ) {
          const outcome = await conversations.insertTurn(sealedTurn(sid, seq)).catch((error: unknown) => {
            if (!(error instanceof Unavailable)) throw error
            return undefined
          })
          if (killed) overKill += 1
          if (!outcome) {
            unknown = true
            continue
          }
          // Nobody else writes here: a place that is taken was taken by this one, when nobody could tell.
          if (outcome.kind !== 'inserted') expect(unknown).toBe(true)
          seqs.push(seq)
          seq += 1
          done += 1
          unknown = false
          if (done === 150) killed = restart()
        }
      }
      await Promise.all(sids.map(write))
      await killed
      for (const sid of sids) {
        const stored = await conversations.turns(sid, { after: 0, limit: 1_000 })
        expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: goal }, (_, i) => i + 1))
        expect(told.get(sid)).toEqual(stored.map(({ seq }) => seq))
      }
      // The fault has hit: there was much to write yet. What was under way was tried again, by the driver or by us.
      expect(overKill).toBeGreaterThan(100)
      expect(retries.every(({ attempt, delayMs }) => attempt > 0 && delayMs > 0)).toBe(true)
    }, 60_000)
  })
})

describe('a store that is closed', () => {
  it('refuses calls, and closing it again is harmless', async () => {
    const mongo: Mongo = openMongo({ uri: 'mongodb://127.0.0.1:9/', database: 'any', answerMs: 200 })
    await Promise.all([mongo.close(), mongo.conversations.close(), mongo.close()])
    await expect(mongo.conversations.session(sessionId('any'))).rejects.toMatchObject({ code: 'closed' })
    await expect(mongo.conversations.ping()).rejects.toMatchObject({ code: 'closed' })
    await expect(mongo.leases.replicas()).rejects.toMatchObject({ code: 'closed' })
  })
})

await onMongo('a store that closes', (server) => {
  it('waits for what is under way', async () => {
    const { mongo, database, close } = await openedOn(server(), { gatherMs: 50 })
    onTestFinished(close)
    const session = sealedSession()
    const creating = mongo.conversations.createSession(session)
    await mongo.close()
    expect(await creating).toBe('created')
    const later = openMongo({ uri: server().url, database })
    expect(await later.conversations.session(session.sid)).toEqual(session)
    await later.close()
  })
})
