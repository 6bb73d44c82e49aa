import {
  type Answers,
  clientMessageId,
  type EntryBody,
  type Outcome,
  partitionOf,
  replicaId,
  requestId,
  type SessionId,
  sessionId,
  Unavailable,
} from '@chatbox/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createStorage, type StorageDeps } from '../src/index.ts'
import { type Bench, bench, user } from './fixture.ts'
import { exchange, until } from './talk.ts'

const alice = user('alice')
const sid = sessionId('session-1')

/** Calls of one function fail as long as it is told so. */
function flaky(failures: number, fail: () => Error) {
  let left = failures
  return {
    around:
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        if (left-- > 0) throw fail()
        return call(...args)
      },
  }
}

const withConversations = (deps: StorageDeps, changed: Partial<StorageDeps['conversations']>): StorageDeps => ({
  ...deps,
  conversations: { ...deps.conversations, ...changed },
})

describe('storage, when a store is away', () => {
  let b: Bench
  afterEach(() => b.close())

  it('tries again, says so in the log, and loses nothing (D3)', async () => {
    const away = flaky(3, () => new Unavailable('away'))
    b = await bench({
      wrap: (deps) => withConversations(deps, { insertTurn: away.around(deps.conversations.insertTurn) }),
    })
    expect(await b.say(alice, sid, 'hello')).toEqual({ ok: true })
    expect(b.log.filter((line) => line.includes('trying again'))).toHaveLength(3)
    expect(await b.counted('storage_retries_total')).toEqual({ 'what="insert turn"': 3 })
    expect((await b.conversations.totals(sid)).nextSeq).toBe(3)
  })

  it('starts without the database, and takes its partitions when that is there', async () => {
    const away = flaky(3, () => new Unavailable('away'))
    b = await bench({
      times: { leaseMs: 60 },
      wrap: (deps) => ({
        ...deps,
        leases: { ...deps.leases, partitionCount: away.around(deps.leases.partitionCount) },
      }),
    })
    expect(b.log.filter((line) => line.includes('partitions cannot be taken yet'))).toHaveLength(1)
    expect(await b.say(alice, sid, 'hello')).toEqual({ ok: true })
  })

  it('does not start over data that is laid out in another number of partitions', async () => {
    const starting = bench({
      wrap: (deps) => ({ ...deps, leases: { ...deps.leases, partitionCount: async () => 32 } }),
    })
    await expect(starting).rejects.toThrow('The data is laid out in 32 partitions, and this version works with 64.')
    b = await bench()
  })

  it('finds the message that was written although the answer to the write was lost (P2)', async () => {
    let lost = false
    b = await bench({
      wrap: (deps) =>
        withConversations(deps, {
          async insertTurn(turn) {
            const inserted = await deps.conversations.insertTurn(turn)
            if (lost) return inserted
            lost = true
            throw new Unavailable('written, and the reply lost')
          },
        }),
    })
    const events = await b.events(alice)
    expect(await b.say(alice, sid, 'hello', { cmid: 'm1' })).toEqual({ ok: true })
    expect(await events.waitFor((frame) => frame.type === 'message')).toMatchObject({ seq: 1, clientMessageId: 'm1' })
    expect((await b.conversations.totals(sid)).nextSeq).toBe(3)
  })

  it('does not say `expired` of a message whose insert may yet be done, and says it of one that was never tried (R9)', async () => {
    let late: (() => Promise<unknown>) | undefined
    let away: 'at the insert' | 'before it' = 'at the insert'
    b = await bench({
      wrap: (deps) =>
        withConversations(deps, {
          async session(id) {
            if (away === 'before it') throw new Unavailable('away')
            return deps.conversations.session(id)
          },
          async insertTurn(turn) {
            late = () => deps.conversations.insertTurn(turn)
            throw new Unavailable('no reply; the database may be at it')
          },
        }),
    })
    expect(await b.say(alice, sid, 'hello', { cmid: 'm1' }, 300)).toEqual({ ok: false, code: 'unavailable' })
    await late?.()
    expect((await b.conversations.turns(sid, { limit: 9 })).map(({ cmid }) => cmid)).toEqual(['m1'])

    away = 'before it'
    const other = b.say(alice, sessionId('session-2'), 'hello', { cmid: 'm2' }, 300)
    expect(await other).toEqual({ ok: false, code: 'expired' })
  })

  it('announces what it wrote once the bus is back', async () => {
    const away = flaky(2, () => new Unavailable('away'))
    b = await bench({
      wrap: (deps) => ({
        ...deps,
        fabric: { ...deps.fabric, bus: { ...deps.fabric.bus, append: away.around(deps.fabric.bus.append) } },
      }),
    })
    const events = await b.events(alice)
    await b.say(alice, sid, 'hello')
    expect(await events.waitFor((frame) => frame.type === 'message')).toMatchObject({ text: 'hello' })
  })

  it('puts an entry aside that it can not work on, tells its sender `internal`, and goes on with the others (R7)', async () => {
    const poison = clientMessageId('poison')
    b = await bench({
      wrap: (deps) =>
        withConversations(deps, {
          async insertTurn(turn) {
            if (turn.cmid === poison) throw new Error('a fault of ours')
            return deps.conversations.insertTurn(turn)
          },
        }),
    })
    expect(await b.say(alice, sid, 'bad', { cmid: poison })).toEqual({ ok: false, code: 'internal' })
    expect(await b.say(alice, sid, 'good')).toEqual({ ok: true })
    const partition = partitionOf(alice, 64)
    expect(await b.deps.fabric.ingest.backlog(partition)).toMatchObject({ dead: 1 })
    expect(await b.counted('storage_dead_letters_total')).toEqual({ 'kind="send"': 1 })
  })
})

describe('the sweeper, when the part of a store that has one user is away', () => {
  let b: Bench
  afterEach(() => b.close())

  const partition = partitionOf(alice, 64)
  const bob = user(
    Array.from({ length: 1_000 }, (_, i) => `bob-${i}`).find((name) => partitionOf(user(name), 64) === partition) ?? '',
  )
  const [hers, his] = [sessionId('session-hers'), sessionId('session-his')]

  /** Both have asked, she first; whatever would have answered them is lost. */
  async function bothAsked(): Promise<void> {
    await b.say(alice, hers, 'hello')
    await b.say(bob, his, 'hello')
    b.memory.empty('queue')
  }

  const queued = async (sid: SessionId) => {
    const answer = (await b.conversations.turn(sid, 1))?.answer
    if (!answer) throw new Error('nothing was asked')
    return (await b.deps.fabric.jobs.exists([{ sid, answerId: answer.answerId, n: answer.n }]))[0]
  }

  it('looks after the others', async () => {
    b = await bench({
      wrap: (deps) => {
        const { answers } = deps.fabric
        const inspect: Answers['inspect'] = async (refs) => {
          if (refs.some(({ uid }) => uid === alice)) throw new Unavailable('away')
          return answers.inspect(refs)
        }
        return { ...deps, fabric: { ...deps.fabric, answers: { ...answers, inspect } } }
      },
    })
    await bothAsked()
    await vi.waitFor(async () => expect(await queued(his)).toBe(true), WAIT)
    expect(await queued(hers)).toBe(false)
  })

  it('looks after the others while it insists on what is to be done for that one', async () => {
    let away = false
    let looks = 0
    b = await bench({
      wrap: (deps) => ({
        ...deps,
        fabric: {
          ...deps.fabric,
          answers: {
            ...deps.fabric.answers,
            async inspect(refs) {
              if (away) looks += refs.filter(({ uid }) => uid === alice).length
              return deps.fabric.answers.inspect(refs)
            },
          },
        },
        conversations: {
          ...deps.conversations,
          async changePending(sid, ...rest) {
            if (away && sid === hers) throw new Unavailable('away')
            return deps.conversations.changePending(sid, ...rest)
          },
        },
      }),
    })
    await b.say(alice, hers, 'hello')
    away = true
    b.memory.empty('queue')
    await vi.waitFor(() => expect(b.log.join('')).toContain('queue again'), WAIT)
    const begun = looks
    expect(begun).toBeGreaterThan(0)
    await b.say(bob, his, 'hello')
    b.memory.empty('queue')
    await vi.waitFor(async () => expect(await queued(his)).toBe(true), WAIT)
    expect(await queued(hers)).toBe(false)
    // Nothing more is begun for her meanwhile.
    expect(looks).toBe(begun)
    away = false
    await vi.waitFor(async () => expect(await queued(hers)).toBe(true), WAIT)
  })

  it('goes on with the others when that one’s answer can not be closed', async () => {
    b = await bench({
      wrap: (deps) => {
        const { answers } = deps.fabric
        const close: Answers['close'] = async (ref) => {
          if (ref.uid === alice) throw new Unavailable('away')
          return answers.close(ref)
        }
        return { ...deps, fabric: { ...deps.fabric, answers: { ...answers, close } } }
      },
    })
    for (const [uid, sid] of [
      [alice, hers],
      [bob, his],
    ] as const) {
      await b.say(uid, sid, 'hello')
      const answer = (await b.conversations.turn(sid, 1))?.answer
      await b.conversations.changePending(sid, answer?.answerId ?? raise(), { n: answer?.n ?? 0 }, { cancelAt: 1 })
    }
    const status = async (sid: SessionId) => (await b.conversations.turn(sid, 1))?.answer?.status
    await vi.waitFor(async () => expect(await status(his)).toBe('cancelled'), WAIT)
    expect(await status(hers)).toBe('pending')
    expect(b.log.join('')).not.toContain('a sweep failed')
  })
})

const WAIT = { timeout: 5_000, interval: 10 }

function raise(): never {
  throw new Error('there is no such thing')
}

describe('a change whose owner is gone before anybody was told, and whose time is over when the next one comes', () => {
  let b: Bench
  afterEach(() => b.close())

  /** The bus is away from the change on, until the owner has lost its partition and the change its time. */
  async function leftBehind(change: EntryBody): Promise<Outcome> {
    const over = Date.now() + TTL_MS
    const changed = b.ask(change, TTL_MS)
    await vi.waitFor(() => expect(b.log.join('')).toContain('"what":"announce"'), WAIT)
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(over), WAIT)
    // Another reader, which closes that of the owner.
    const other = await b.deps.fabric.ingest.own(partitionOf(alice, 64))
    await vi.waitFor(() => expect(b.log.join('')).toContain('reading the ingest log failed'), WAIT)
    await other.close()
    away = false
    return changed
  }

  const TTL_MS = 300
  let away = false
  const open = async () => {
    away = false
    b = await bench({
      times: { leaseMs: 300 },
      wrap: (deps) => {
        const { append } = deps.fabric.bus
        const bus: StorageDeps['fabric']['bus'] = {
          ...deps.fabric.bus,
          append: async (...args) => {
            if (away) throw new Unavailable('away')
            return append(...args)
          },
        }
        return { ...deps, fabric: { ...deps.fabric, bus } }
      },
    })
  }

  it('is not done again, and what is stored of it is told (R8, R9)', async () => {
    await open()
    await b.say(alice, sid, 'hello')
    const events = await b.events(alice)
    away = true
    const rename = {
      kind: 'session.rename',
      uid: alice,
      sid,
      name: 'another name',
      requestId: requestId('rename'),
    } as const
    expect(await leftBehind(rename)).toEqual({ ok: false, code: 'unavailable' })
    expect((await b.conversations.session(sid))?.nm).toBe('another name')
    await events.waitFor((frame) => frame.type === 'session.updated' && frame.session.name === 'another name')
  })

  it('is told where it was a word on an answer, too', async () => {
    await open()
    const answer = await exchange(b, alice, sid)
    const events = await b.events(alice)
    away = true
    const rating = {
      kind: 'answer.feedback',
      ...{ uid: alice, sid, answerId: answer, requestId: requestId('rating') },
      feedback: { rating: 'up' },
    } as const
    expect(await leftBehind(rating)).toEqual({ ok: false, code: 'unavailable' })
    await events.waitFor((frame) => frame.type === 'answer.feedback' && frame.answerId === answer)
  })
})

describe('two owners of one partition', () => {
  let b: Bench
  afterEach(() => b.close())

  it('never share it: the second gets its share once the first has given it back', async () => {
    let leases: StorageDeps['leases'] | undefined
    let heard = false
    b = await bench({
      times: { leaseMs: 3_000 },
      wrap(deps) {
        leases = deps.leases
        return {
          ...deps,
          leases: { ...deps.leases, replicas: async () => (heard ? deps.leases.replicas() : new Map()) },
        }
      },
    })
    if (!leases) throw new Error('there are no leases')
    const second = replicaId('second')
    const other = createStorage({ ...b.deps, leases, replica: second }, { times: { leaseMs: 3_000 } })
    await other.start()
    const shares = leases.replicas
    expect((await shares()).get(second) ?? 0).toBe(0)
    heard = true
    await until(async () => (await shares()).get(second) === 32, 'each has its half')
    expect((await shares()).get(b.deps.replica)).toBe(32)
    const said = await Promise.all(
      Array.from({ length: 20 }, (_, i) => b.say(user(`user-${i}`), sessionId(`shared-${i}`), 'hello')),
    )
    expect(said.every(({ ok }) => ok)).toBe(true)
    await other.stop(AbortSignal.timeout(1_000))
    await until(async () => (await shares()).get(b.deps.replica) === 64, 'the one that is left has all of them')
    expect([...(await shares()).keys()]).toEqual([b.deps.replica])
  })

  it('one that comes back to it remembers nothing of before, not even of what was under way when it was lost', async () => {
    const partition = partitionOf(alice, 64)
    let lost = false
    let gate = Promise.resolve()
    b = await bench({
      times: { leaseMs: 300 },
      wrap: ({ leases, conversations, ...deps }) => ({
        ...deps,
        leases: {
          ...leases,
          renew: async (lease, ttlMs) => !(lost && lease.partition === partition) && leases.renew(lease, ttlMs),
          acquire: async (taken, ...rest) => (lost && taken === partition ? undefined : leases.acquire(taken, ...rest)),
        },
        conversations: {
          ...conversations,
          async insertTurn(turn) {
            const inserted = await conversations.insertTurn(turn)
            await gate
            return inserted
          },
        },
      }),
    })
    await b.say(alice, sid, 'first')
    const opened = new AbortController()
    gate = new Promise((resolve) => {
      opened.signal.addEventListener('abort', () => resolve())
    })
    void b.say(alice, sid, 'second')
    await until(async () => (await b.conversations.totals(sid)).pending.length === 2, 'it is written')
    lost = true
    await until(() => b.log.join('').includes('partition lost'), 'it is lost')
    // The other owner does what is on the log, ends both, and dies.
    const other = await b.deps.fabric.ingest.own(partition)
    const { entries } = await other.read(10, AbortSignal.timeout(5_000))
    await other.remove(entries)
    await other.close()
    for (const { answerId } of (await b.conversations.totals(sid)).pending) {
      await b.conversations.endAnswer(sid, answerId, { status: 'done', text: 'an answer', endedAt: Date.now() })
    }
    opened.abort()
    gate = Promise.resolve()
    // It was written, which whoever wrote it remembers now.
    for (let i = 0; i < 20; i += 1) await new Promise(setImmediate)
    lost = false
    await b.say(alice, sid, 'third')
    const third = (await b.conversations.turn(sid, 5))?.answer
    if (!third) throw new Error('it was not accepted')
    await until(async () => {
      const [queued] = await b.deps.fabric.jobs.exists([{ sid, answerId: third.answerId, n: third.n }])
      return queued === true
    }, 'its answer is begun')
  })

  it('can not both announce: the log refuses the older one, which leaves the partition (R6)', async () => {
    b = await bench({ times: { leaseMs: 60_000 } })
    const events = await b.events(alice)
    await b.say(alice, sid, 'first')
    const newer = {
      header: { class: 'signal' as const, type: 'pong' as const },
      body: Buffer.from('{"type":"pong","ts":1}'),
    }
    // Somebody with a much higher generation has written to this user's log.
    await b.deps.fabric.bus.append(alice, { ...newer, header: { ...newer.header, class: 'logged' } }, 1_000)
    const before = events.frames.length
    await b.deps.fabric.ingest.append({
      partition: partitionOf(alice, 64),
      packet: {
        header: { requestId: requestId('stale'), kind: 'send' },
        body: Buffer.from(
          JSON.stringify({
            kind: 'send',
            uid: alice,
            sid,
            requestId: 'stale',
            fresh: false,
            said: {
              author: 'user',
              authorId: alice,
              cmid: 'm-stale',
              kind: 'text',
              content: { text: 'from a stale owner' },
            },
          }),
        ),
      },
    })
    await expect.poll(() => b.log.some((line) => line.includes('partition lost'))).toBe(true)
    expect(events.frames.slice(before).filter((frame) => frame.type === 'message')).toEqual([])
  })
})
