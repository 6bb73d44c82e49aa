import {
  type AuditEntry,
  beginEvent,
  brokenAt,
  deltaEvent,
  encodeEntry,
  partitionOf,
  requestId,
  sessionId,
  Unavailable,
  userId,
} from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { createStorage } from '../src/index.ts'
import { type Bench, type BenchOptions, bench, user } from './fixture.ts'
import { exchange, finish, question, someEnd, until } from './talk.ts'

const alice = user('alice')
const sid = sessionId('session-1')

let b: Bench
afterEach(() => b.close())
const open = async (options?: BenchOptions) => {
  b = await bench(options)
  return b
}

const erase = (uid = alice, id = sid) =>
  b.ask({ kind: 'session.erase', uid, sid: id, requestId: requestId(`erase-${Math.random()}`) })
const eraseUser = (uid = alice) => b.ask({ kind: 'user.erase', uid, requestId: requestId(`user-${Math.random()}`) })
const rows = (id = sid) => b.conversations.turns(id, { after: 0, limit: 100 })
const audit = async (uid = alice): Promise<AuditEntry[]> => b.deps.audit.read(partitionOf(uid, 64), 0, 100)

describe('erasing a session (R22)', () => {
  it('leaves stubs, no text, no name, and a row at the end that nobody can take', async () => {
    await open()
    await exchange(b, alice, sid, { text: 'a secret answer' })
    await b.say(alice, sid, 'a secret question')
    expect(await erase()).toEqual({ ok: true })
    const left = await rows()
    expect(left.map(({ seq, event }) => [seq, event])).toEqual([
      [1, undefined],
      [3, undefined],
      [5, 'erased'],
    ])
    expect(JSON.stringify(left)).not.toContain('secret')
    expect(left.some(({ unsettled }) => unsettled)).toBe(false)
    const session = await b.conversations.session(sid)
    expect(session).toMatchObject({ erased: true, ownerEpoch: 1 })
    expect(session).not.toHaveProperty('nm')
    expect(session).not.toHaveProperty('preview')
    expect(await b.conversations.listSessions(alice, { limit: 9 })).toEqual([])
  })

  it('tells the devices, whose log begins anew', async () => {
    await open()
    await exchange(b, alice, sid)
    const before = await b.deps.fabric.bus.top(alice)
    const events = await b.events(alice)
    await erase()
    const told = await events.waitFor((frame) => frame.type === 'session.updated' && frame.session.erased === true)
    expect(told).not.toHaveProperty('session.name')
    expect((await b.deps.fabric.bus.read(alice, before)).kind).toBe('lost')
  })

  it('takes what is being written out of the fabric, and its job; a worker that goes on is refused', async () => {
    await open()
    const id = await question(b, alice, sid)
    const ref = { uid: alice, sid, answerId: id, seq: 2 }
    const { answers, jobs } = b.deps.fabric
    await b.conversations.beginAttempt(sid, id, 0, 'fresh')
    await answers.begin(ref, 1, 0, beginEvent(ref, 1, 'demo'))
    const chunk = (index: number) => ({ ref, attempt: 1, index, chunk: deltaEvent(ref, 1, index, 'half a secret') })
    expect(await answers.append([chunk(0)])).toEqual(['accepted'])
    await erase()
    expect(await answers.append([chunk(1)])).not.toEqual(['accepted'])
    expect((await answers.snapshot(alice)).open).toEqual([])
    expect(await jobs.exists([{ sid, answerId: id, n: 0 }])).toEqual([false])
    expect(await finish(b, alice, sid, id, 1, someEnd({ text: 'late' }))).toEqual({ ok: true })
    expect((await rows())[0]?.answer).toMatchObject({ status: 'cancelled' })
    expect(JSON.stringify(await rows())).not.toContain('late')
  })

  it('is told when nothing more can be said: no device hears a word of the session after it', async () => {
    let speak = async (): Promise<unknown> => undefined
    const heard: unknown[] = []
    await open({
      wrap: (deps) => ({
        ...deps,
        fabric: {
          ...deps.fabric,
          bus: {
            ...deps.fabric.bus,
            async append(uid, packet, gen) {
              const frame = JSON.parse(Buffer.from(packet.body).toString('utf8'))
              if (frame.type === 'session.updated' && frame.session.erased) heard.push(await speak())
              return deps.fabric.bus.append(uid, packet, gen)
            },
          },
        },
      }),
    })
    const id = await question(b, alice, sid)
    const ref = { uid: alice, sid, answerId: id, seq: 2 }
    const { answers } = b.deps.fabric
    await b.conversations.beginAttempt(sid, id, 0, 'fresh')
    await answers.begin(ref, 1, 0, beginEvent(ref, 1, 'demo'))
    speak = () => answers.append([{ ref, attempt: 1, index: 0, chunk: deltaEvent(ref, 1, 0, 'one word more') }])
    await erase()
    expect(heard).toEqual([['ended']])
  })

  it('is for its owner only, and once is enough', async () => {
    await open()
    await exchange(b, alice, sid)
    expect(await erase(user('mallory'))).toEqual({ ok: false, code: 'not_found' })
    expect(await erase()).toEqual({ ok: true })
    expect(await erase()).toEqual({ ok: true })
    expect(await erase(alice, sessionId('nobody-knows-it'))).toEqual({ ok: false, code: 'not_found' })
    expect(await rows()).toHaveLength(2)
    expect((await audit()).map(({ action }) => action)).toEqual(['session.erased'])
  })

  it('lets nothing into the session any more: not a new message, not one that is repeated, not a change', async () => {
    await open()
    await b.say(alice, sid, 'once', { cmid: 'c-1' })
    await erase()
    const stubs = await rows()
    const session = await b.conversations.session(sid)
    const said = [await b.say(alice, sid, 'once', { cmid: 'c-1' }), await b.say(alice, sid, 'again')]
    expect(said.every(({ ok }) => !ok)).toBe(true)
    const asked = { uid: alice, sid }
    for (const [i, entry] of (
      [
        { ...asked, kind: 'session.rename', name: 'a name' },
        { ...asked, kind: 'session.share', share: { hash: 'h', until: Date.now() + 1e6 } },
        { ...asked, kind: 'session.read', seq: 1 },
        { ...asked, kind: 'session.end' },
      ] as const
    ).entries()) {
      expect(await b.ask({ ...entry, requestId: requestId(`change-${i}`) })).toEqual({ ok: false, code: 'not_found' })
    }
    expect(await rows()).toEqual(stubs)
    expect(await b.conversations.session(sid)).toEqual(session)
  })

  it('is not undone by a change that was computed before it, and comes late', async () => {
    let overtaken = false
    await open({
      wrap: (deps) => ({
        ...deps,
        conversations: {
          ...deps.conversations,
          async changeSession(id, rev, change) {
            // Another replica erases at this moment.
            if (change.nm === 'late' && !overtaken) {
              overtaken = true
              await deps.conversations.changeSession(id, rev, { erased: true, nm: null })
            }
            return deps.conversations.changeSession(id, rev, change)
          },
        },
      }),
    })
    await exchange(b, alice, sid)
    await b.ask({ kind: 'session.rename', uid: alice, sid, name: 'late', requestId: requestId('rename') })
    const row = await b.conversations.session(sid)
    expect(overtaken).toBe(true)
    expect(row).toMatchObject({ erased: true })
    expect(row).not.toHaveProperty('nm')
  })

  it('leaves an audit entry without content, in a chain that is whole', async () => {
    await open()
    await exchange(b, alice, sid, { text: 'a secret answer' })
    await exchange(b, alice, sessionId('session-2'))
    await erase()
    await erase(alice, sessionId('session-2'))
    const chain = await audit()
    expect(chain).toMatchObject([
      { n: 1, actor: 'user', action: 'session.erased', sid, detail: { messages: 2 } },
      { n: 2, actor: 'user', action: 'session.erased', sid: 'session-2' },
    ])
    expect(brokenAt(chain)).toBeUndefined()
    expect(JSON.stringify(chain)).not.toMatch(/secret|alice/)
  })

  const steps = ['fence', 'eraseTurns', 'forgetAnswers', 'forgetLog', 'announce', 'audit', 'settle'] as const
  it.each(steps)(
    'that broke off at %s is gone on with by the next owner’s sweeper, without the entry',
    async (step) => {
      let broken = true
      const breaks =
        <A extends unknown[], R>(name: (typeof steps)[number], call: (...args: A) => Promise<R>) =>
        async (...args: A): Promise<R> => {
          // As if the process had died here: it does nothing of it, nor anything later.
          if (broken && name === step) throw new Error(`died at ${name}`)
          return call(...args)
        }
      await open({
        wrap: (deps) => ({
          ...deps,
          audit: { ...deps.audit, append: breaks('audit', deps.audit.append) },
          conversations: {
            ...deps.conversations,
            eraseTurns: breaks('eraseTurns', deps.conversations.eraseTurns),
            settle: breaks('settle', deps.conversations.settle),
          },
          fabric: {
            ...deps.fabric,
            answers: {
              ...deps.fabric.answers,
              fence: breaks('fence', deps.fabric.answers.fence),
              forget: breaks('forgetAnswers', deps.fabric.answers.forget),
            },
            bus: {
              ...deps.fabric.bus,
              forget: breaks('forgetLog', deps.fabric.bus.forget),
              append: breaks('announce', deps.fabric.bus.append),
            },
          },
        }),
      })
      broken = false
      const id = await question(b, alice, sid, 'a secret')
      await b.conversations.beginAttempt(sid, id, 0, 'fresh')
      await finish(b, alice, sid, id, 1)
      broken = true
      // The entry is put aside, as one is that the log has lost.
      expect(await erase()).toEqual({ ok: false, code: 'internal' })
      expect((await rows()).at(-1)).toMatchObject({ event: 'erased', unsettled: true })
      broken = false
      await until(async () => (await rows()).every(({ unsettled }) => !unsettled), 'the sweeper has done it')
      expect(await b.conversations.session(sid)).toMatchObject({ erased: true })
      expect(JSON.stringify(await rows())).not.toContain('secret')
      expect((await audit()).map(({ action }) => action)).toEqual(['session.erased'])
      expect(await b.counted('storage_erased_sessions_total')).toMatchObject({ 'by="sweeper"': 1 })
    },
  )

  it('waits for a store that is away, and is done when it is back', async () => {
    let away = true
    await open({
      wrap: (deps) => ({
        ...deps,
        conversations: {
          ...deps.conversations,
          async eraseTurns(...args) {
            if (away) throw new Unavailable('away')
            return deps.conversations.eraseTurns(...args)
          },
        },
      }),
    })
    await exchange(b, alice, sid)
    const erasing = erase()
    await until(() => b.log.some((line) => line.includes('erase turns')), 'it tries')
    away = false
    expect(await erasing).toEqual({ ok: true })
  })
})

describe('erasing a user (R22, security 34)', () => {
  it('is gone on with by the next owner, although its time was up: half of it must not stay', async () => {
    await open()
    const others = [sid, sessionId('session-2')]
    for (const id of others) await exchange(b, alice, id)
    await b.storage.stop(AbortSignal.timeout(5_000))
    const body = { kind: 'user.erase', uid: alice, requestId: requestId('erase') } as const
    const partition = partitionOf(alice, 64)
    const ttlMs = 20
    expect(await b.deps.fabric.ingest.append({ partition, packet: encodeEntry(body), ttlMs })).toBe('taken')
    // Somebody begins, and dies.
    const source = await b.deps.fabric.ingest.own(partition)
    const { entries, now } = await source.read(10, AbortSignal.timeout(5_000))
    expect(entries).toHaveLength(1)
    await source.close()
    await until(() => Date.now() > now + 2 * ttlMs, 'its time is up')
    const next = createStorage(b.deps, { times: { leaseMs: 2_000, sweepMs: 50 } })
    await next.start()
    try {
      await until(async () => (await audit()).some(({ action }) => action === 'user.erased'), 'the user is erased')
      for (const id of others) expect(await b.conversations.session(id)).toMatchObject({ erased: true })
    } finally {
      await next.stop(AbortSignal.timeout(5_000))
    }
  })

  it('erases every session, takes the id out of what is left, and leaves the others alone', async () => {
    await open()
    const sids = Array.from({ length: 5 }, (_, i) => sessionId(`session-${i}`))
    for (const each of sids) await exchange(b, alice, each, { text: 'a secret' })
    const bob = user('bob')
    await exchange(b, bob, sessionId('of-bob'), { text: 'stays' })
    expect(await eraseUser()).toEqual({ ok: true })
    for (const each of sids) {
      const session = await b.conversations.session(each)
      expect(session).toMatchObject({ erased: true })
      expect(JSON.stringify([session, await rows(each)])).not.toMatch(/alice|secret/)
    }
    expect(await b.conversations.listSessions(alice, { limit: 9 })).toEqual([])
    expect(await b.conversations.erasable({ uid: alice, limit: 9 })).toEqual([])
    expect((await b.conversations.listSessions(bob, { limit: 9 })).map(({ uid }) => uid)).toEqual([bob])
    expect((await rows(sessionId('of-bob')))[0]?.answer).toMatchObject({ text: 'stays' })
    const chain = await audit()
    expect(chain.at(-1)).toMatchObject({ action: 'user.erased', detail: { sessions: 5 } })
    expect(await b.counted('storage_erased_sessions_total')).toEqual({ 'by="user"': 5 })
    expect(JSON.stringify(chain)).not.toContain('alice')
  })

  it('does not keep the user from coming back as a new one', async () => {
    await open()
    await exchange(b, alice, sid)
    await eraseUser()
    expect(await b.say(alice, sid, 'into the old one')).toMatchObject({ ok: false })
    expect(await b.say(alice, sessionId('a-new-one'), 'hello again')).toEqual({ ok: true })
    expect((await b.conversations.listSessions(alice, { limit: 9 })).map((each) => each.sid)).toEqual(['a-new-one'])
  })

  it('changes nothing when there is nothing', async () => {
    await open()
    expect(await eraseUser(userId('never-came'))).toEqual({ ok: true })
  })
})
