import { mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Entry, type EntrySource, type Ingest, requestId, type Taken } from '@chatbox/core'
import { available } from '@chatbox/testkit/servers'
import { describe, expect, it } from 'vitest'
import { COMMAND_MS, signalTo, stand } from './support/stand.ts'

const there = await available('redis')

const P = 3
const ENTRIES = `chatbox:{p${P}}:entries`
const TRIES = `chatbox:{p${P}}:tries`

let requests = 0
const packetOf = (body: string | Uint8Array) => ({
  header: { requestId: requestId(`request-${++requests}`), kind: 'send' },
  body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
})
const put = (ingest: Ingest, body: string | Uint8Array, headroom = false): Promise<Taken> =>
  ingest.append({ partition: P, packet: packetOf(body), headroom })
const textsOf = (entries: readonly Entry[]) => entries.map(({ packet }) => Buffer.from(packet.body).toString())
const soon = () => AbortSignal.timeout(10_000)

async function readAll(source: EntrySource, count: number): Promise<Entry[]> {
  const entries: Entry[] = []
  while (entries.length < count) entries.push(...(await source.read(100, soon())).entries)
  return entries
}

describe.skipIf(!there)('the ingest log over a Redis that fails', () => {
  const { server, fabricAt, admin } = stand()

  it('is full when Redis has no memory left, can be drained all the same, and takes again then (fault 12)', async () => {
    const redis = await server({ args: ['--maxmemory-policy', 'noeviction'] })
    const { ingest } = await fabricAt(redis.url)
    const operator = admin(redis)
    const used = Number(/used_memory:(\d+)/.exec(await operator.info('memory'))?.[1])
    await operator.config('SET', 'maxmemory', String(used + 4 * 1024 * 1024))
    const big = new Uint8Array(60 * 1024)
    let taken = 0
    while ((await put(ingest, big)) === 'taken') taken += 1
    expect(taken).toBeGreaterThan(10)
    expect(await put(ingest, big, true)).toBe('full')

    const source = await ingest.own(P)
    const entries = await readAll(source, taken)
    const [poison, ...others] = entries
    await source.bury(poison?.id ?? '', 'failed')
    await source.remove(
      others.map(({ id, packet: { header } }) => ({
        id,
        outcome: { header: { requestId: header.requestId, class: 'outcome' }, body: new Uint8Array(20) },
      })),
    )
    expect(await ingest.backlog(P)).toEqual({ waiting: 0, dead: 1 })
    expect(await ingest.outcome(P, others[0]?.packet.header.requestId ?? requestId('none'))).toBeDefined()
    await expect.poll(() => put(ingest, 'again')).toBe('taken')
  })

  it('hands out what nobody of us wrote as something that does not open, and what follows it', async () => {
    const redis = await server()
    const { ingest } = await fabricAt(redis.url)
    await put(ingest, 'before')
    await admin(redis).xadd(ENTRIES, '*', 'packet', 'no packet at all')
    await put(ingest, 'after')
    const source = await ingest.own(P)
    const entries = await readAll(source, 3)
    expect(textsOf(entries)).toEqual(['before', 'no packet at all', 'after'])
    expect(entries[1]?.packet.header.kind).toBe('unreadable')
  })

  it('is full while Redis cannot write its file, and goes on when it can (fault 11)', async () => {
    const redis = await server()
    const { ingest } = await fabricAt(redis.url)
    const operator = admin(redis)
    await put(ingest, 'before')
    const inTheWay = join(redis.dir, 'dump.rdb')
    await mkdir(inTheWay)
    await operator.config('SET', 'save', '900 1')
    const saved = async () => {
      await operator.bgsave().catch(() => undefined)
      return /rdb_last_bgsave_status:(\w+)/.exec(await operator.info('persistence'))?.[1]
    }
    await expect.poll(saved, { timeout: 5_000 }).toBe('err')
    expect(await put(ingest, 'refused')).toBe('full')
    const source = await ingest.own(P)
    const reading = readAll(source, 2)

    await rmdir(inTheWay)
    await expect.poll(saved, { timeout: 5_000 }).toBe('ok')
    expect(await put(ingest, 'after')).toBe('taken')
    expect(textsOf(await reading)).toEqual(['before', 'after'])
  })

  it('says that it does not know while Redis hangs, in time, and a reader that waited goes on by itself (fault 10)', async () => {
    const redis = await server()
    const { ingest } = await fabricAt(redis.url)
    await put(ingest, 'before')
    const source = await ingest.own(P)
    expect(textsOf(await readAll(source, 1))).toEqual(['before'])
    const reading = readAll(source, 1)
    signalTo(redis, 'SIGSTOP')
    for (let i = 0; i < 20; i += 1) {
      const from = performance.now()
      expect(await put(ingest, `hung ${i}`)).toBe('unknown')
      expect(performance.now() - from).toBeLessThan(COMMAND_MS * 4)
    }
    signalTo(redis, 'SIGCONT')
    await expect.poll(() => put(ingest, 'after'), { timeout: 10_000 }).toBe('taken')
    const texts = textsOf(await reading)
    while (!texts.includes('after')) texts.push(...textsOf((await source.read(100, soon())).entries))
    // What was on its way when Redis stopped may have been taken; nothing that came before comes again.
    expect(texts.at(-1)).toBe('after')
    expect(texts.filter((text) => text !== 'after' && !text.startsWith('hung'))).toEqual([])
  })

  it('says that it does not know while Redis is down', async () => {
    const redis = await server()
    const { ingest } = await fabricAt(redis.url)
    await redis.kill()
    expect(await put(ingest, 'nobody is there')).toBe('unknown')
  })

  it('brings what an older file has once more, and no id from before takes anything from it (R11)', async () => {
    const redis = await server()
    const { ingest } = await fabricAt(redis.url)
    for (const text of ['a', 'b']) await put(ingest, text)
    const source = await ingest.own(P)
    const before = await readAll(source, 2)
    await admin(redis).save()
    for (const text of ['c', 'd']) await put(ingest, text)
    before.push(...(await readAll(source, 2)))
    await redis.kill()
    await server({ port: redis.port, dir: redis.dir })

    const again = await readAll(source, 2)
    expect(textsOf(again)).toEqual(['a', 'b'])
    expect(again.map(({ tries }) => tries)).toEqual([2, 2])
    expect(again.map(({ id }) => id.split('.')[1])).toEqual(before.slice(0, 2).map(({ id }) => id.split('.')[1]))
    const outcome = {
      header: { requestId: requestId('done-before'), class: 'outcome' },
      body: new Uint8Array(),
    } as const
    await source.remove(before.map(({ id }) => ({ id, outcome })))
    await source.bury(before[0]?.id ?? '', 'failed')
    expect(await ingest.backlog(P)).toEqual({ waiting: 2, dead: 0 })
    expect(await ingest.outcome(P, requestId('done-before'))).toBeDefined()
    await source.remove(again.map(({ id }) => ({ id })))
    expect(await ingest.backlog(P)).toEqual({ waiting: 0, dead: 0 })
  })

  it('begins at its head again when somebody emptied it under a server that runs on, whatever its clock says', async () => {
    const redis = await server()
    const { ingest } = await fabricAt(redis.url)
    const operator = admin(redis)
    const source = await ingest.own(P)
    await put(ingest, 'first')
    await operator.call('XSETID', ENTRIES, '9999999999999-0')
    await put(ingest, 'of a clock that runs ahead')
    await readAll(source, 2)
    await operator.flushall()
    await expect(source.read(1, AbortSignal.timeout(300))).rejects.toThrow()
    await put(ingest, 'after')
    expect(textsOf(await readAll(source, 1))).toEqual(['after'])
  })
})

describe.skipIf(!there)('the ingest log on Redis', () => {
  const { server, fabricAt, admin } = stand()

  it('wakes the owner in another process by its bell', async () => {
    const redis = await server()
    const never = { clocks: { pollMs: 600_000 } }
    const [edge, storage] = [await fabricAt(redis.url, never), await fabricAt(redis.url, never)]
    const source = await storage.ingest.own(P)
    for (const text of ['a', 'b', 'c']) {
      const reading = source.read(10, soon())
      await put(edge.ingest, text)
      expect(textsOf((await reading).entries)).toEqual([text])
    }
  })

  it('is looked at by an owner that cannot hear the bell', async () => {
    const redis = await server()
    await admin(redis).call('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '&*', '+@all', '-ssubscribe')
    const { ingest } = await fabricAt(`redis://deaf:secret@127.0.0.1:${redis.port}`)
    const source = await ingest.own(P)
    const reading = source.read(10, soon())
    await put(ingest, 'unheard')
    expect(textsOf((await reading).entries)).toEqual(['unheard'])
  })

  it('is read by each process that believes it owns it, and counts a try for each', async () => {
    const redis = await server()
    const [one, two] = [await fabricAt(redis.url), await fabricAt(redis.url)]
    const [stale, owner] = [await one.ingest.own(P), await two.ingest.own(P)]
    for (const text of ['a', 'b']) await put(one.ingest, text)
    const first = await readAll(stale, 2)
    const second = await readAll(owner, 2)
    expect([first, second].map((entries) => entries.map(({ tries }) => tries))).toEqual([
      [1, 1],
      [2, 2],
    ])
    expect(second.map(({ id }) => id)).toEqual(first.map(({ id }) => id))
    await owner.remove([{ id: second[0]?.id ?? '' }])
    await stale.remove(first.map(({ id }) => ({ id })))
    expect(await two.ingest.backlog(P)).toEqual({ waiting: 0, dead: 0 })
    expect(await admin(redis).exists(TRIES)).toBe(0)
  })

  it('brings no more than about a mebibyte at a time, and everything in the end (P10)', async () => {
    const redis = await server()
    const { ingest } = await fabricAt(redis.url)
    const big = (i: number) => new Uint8Array(60 * 1024).fill(i)
    for (let i = 0; i < 60; i += 1) await put(ingest, big(i))
    const source = await ingest.own(P)
    const reads: number[] = []
    const seen: number[] = []
    while (seen.length < 60) {
      const { entries } = await source.read(200, soon())
      reads.push(entries.length)
      seen.push(...entries.map(({ packet }) => packet.body[0] ?? -1))
    }
    expect(Math.max(...reads)).toBeLessThan(40)
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => i))
  })

  it('keeps an entry that an aborted read had fetched, with one try', async () => {
    const redis = await server()
    const { ingest } = await fabricAt(redis.url)
    const operator = admin(redis)
    const source = await ingest.own(P)
    for (let i = 1; i <= 10; i += 1) {
      await put(ingest, `entry ${i}`)
      const stop = new AbortController()
      const reading = source.read(10, stop.signal)
      stop.abort(new Error('stopping'))
      await expect(reading).rejects.toThrow('stopping')
      await expect.poll(() => operator.hlen(TRIES)).toBe(i)
      const { entries } = await source.read(10, soon())
      expect(textsOf(entries)).toEqual([`entry ${i}`])
      expect(entries[0]?.tries).toBe(1)
    }
  })

  it('holds nothing more of what was put aside than can be read of it, whoever wrote it', async () => {
    const redis = await server()
    const { ingest } = await fabricAt(redis.url)
    const operator = admin(redis)
    await put(ingest, 'poison')
    const strange = [
      'no packet at all',
      '[]\nof a list',
      '{"requestId":{"a":1},"kind":7}\nof other types',
      '{\nno JSON',
      '',
    ]
    for (const packet of strange) await operator.xadd(ENTRIES, '*', 'packet', packet)
    const source = await ingest.own(P)
    const entries = await readAll(source, 1 + strange.length)
    for (const { id } of entries) await source.bury(id, 'failed')
    const letters = await operator.xrange(`chatbox:{p${P}}:dead`, '-', '+')
    const [first, ...others] = letters.map(([, fields]) => fields)
    const rest = ['reason', 'failed', 'tries', '1', 'at', expect.any(String)]
    expect(first).toEqual(['requestId', entries[0]?.packet.header.requestId, 'kind', 'send', ...rest])
    expect(others).toEqual(strange.map(() => ['requestId', 'unreadable', 'kind', 'unreadable', ...rest]))
    expect((await ingest.deadLetters(P)).map(({ kind }) => kind)).toEqual(['send', ...strange.map(() => 'unreadable')])
  })
})
