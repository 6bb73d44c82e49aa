import { partitionOf, sessionId } from '@chatbox/core'
import { afterEach, expect, it } from 'vitest'
import { createStorage, type StorageDeps, type StoragePolicy } from '../src/index.ts'
import { type Bench, bench, user } from './fixture.ts'
import { exchange, question, until } from './talk.ts'

const alice = user('alice')
const sid = sessionId('session-1')
const HOUR = 3_600_000

let b: Bench
afterEach(() => b.close())

/** As if the log's clock and that of this machine were apart. */
function apart({ fabric, ...deps }: StorageDeps, ms: number): StorageDeps {
  const { ingest } = fabric
  return {
    ...deps,
    fabric: {
      ...fabric,
      ingest: {
        ...ingest,
        now: async () => (await ingest.now()) + ms,
        async own(partition) {
          const source = await ingest.own(partition)
          return {
            ...source,
            async read(...args) {
              const { entries, now } = await source.read(...args)
              return { entries, now: now + ms }
            },
          }
        },
      },
    },
  }
}

/** The next owner, with nothing on its log, looks so many times. */
async function next(ms: number, looks: 'unsettledOf' | 'erasable', policy: StoragePolicy = {}): Promise<void> {
  let seen = 0
  const looked = (partition: number) => {
    if (partition === partitionOf(alice, 64)) seen += 1
  }
  const { conversations } = b.deps
  const deps: StorageDeps = {
    ...apart(b.deps, ms),
    conversations: {
      ...conversations,
      async unsettledOf(partition, ...rest) {
        if (looks === 'unsettledOf') looked(partition)
        return conversations.unsettledOf(partition, ...rest)
      },
      async erasable(query) {
        if (looks === 'erasable' && 'partition' in query) looked(query.partition)
        return conversations.erasable(query)
      },
    },
  }
  const storage = createStorage(deps, { times: { sweepMs: 20, retentionMs: 20 }, policy })
  await storage.start()
  try {
    await until(() => seen >= 4, 'it has looked')
  } finally {
    await storage.stop(AbortSignal.timeout(5_000))
  }
}

it('an answer is not overdue by this machine’s clock, but by the log’s, also before anything was read (R11)', async () => {
  b = await bench()
  const id = await question(b, alice, sid)
  await b.storage.stop(AbortSignal.timeout(5_000))
  await b.conversations.changePending(sid, id, { n: 0 }, { due: Date.now() - 1 })
  await next(-HOUR, 'unsettledOf')
  expect((await b.conversations.turn(sid, 1))?.answer?.status).toBe('pending')
})

it.each([
  ['the log’s', HOUR],
  ['this machine’s', -HOUR],
])('a session that is old by one clock alone is kept: %s is ahead', async (_whose, ms) => {
  b = await bench()
  await exchange(b, alice, sid)
  await b.storage.stop(AbortSignal.timeout(5_000))
  if (ms < 0) await makeOld(ms)
  await next(ms, 'erasable', { retentionMs: HOUR / 2 })
  expect((await b.conversations.session(sid))?.erased).toBe(false)
})

/** As old as it would be by a clock that is so far behind. */
async function makeOld(ms: number): Promise<void> {
  const session = await b.conversations.session(sid)
  if (!session) throw new Error('there is no session')
  await b.conversations.changeSession(sid, session.rev, { lastActivity: session.lastActivity + ms })
}
