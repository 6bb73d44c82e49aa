import { randomUUID } from 'node:crypto'
import { type AnswerRef, type Answers, answerId, Unavailable } from '@chatbox/core'
import { type RedisFabric, redisFabric } from '@chatbox/redis'
import { afterEach, describe, expect, it } from 'vitest'
import { createStore, type Store } from '../src/connection/store.ts'
import { keysFor } from '../src/keys.ts'
import { bytes, chunkPacket, endPacket, someAnswer, someSession, text } from './support/answers.ts'
import { onEachRedis, type TestRedis } from './support/servers.ts'

const CLOCKS = { commandMs: 1_000, retryMs: 50, lingerMs: 50, layoutMs: 500 }

const begin = (answers: Answers, ref: AnswerRef, attempt = 1, epoch = 0) =>
  answers.begin(ref, attempt, epoch, { header: { class: 'logged', type: 'answer.started' }, body: bytes('started') })

const chunk = (ref: AnswerRef, attempt: number, index: number, body: string) => ({
  ref,
  attempt,
  index,
  chunk: chunkPacket(ref, attempt, index, body),
})

const say = async (answers: Answers, ref: AnswerRef, from: number, bodies: readonly string[], attempt = 1) =>
  answers.append(bodies.map((body, i) => chunk(ref, attempt, from + i, body)))

async function spoken(answers: Answers, { uid, answerId: id }: AnswerRef): Promise<string | undefined> {
  const open = (await answers.snapshot(uid)).open.find(({ ref }) => ref.answerId === id)
  return open?.chunks.map(text).join('')
}

function suite(redis: () => TestRedis): void {
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    await Promise.all(closing.splice(0).map((close) => close()))
  })

  /** As many processes as asked for on one Redis, and a way to do to its keys what they would not. */
  async function house(processes = 1) {
    const { url } = redis()
    const prefix = `t${randomUUID().slice(0, 8)}`
    const fabrics = await Promise.all(
      Array.from({ length: processes }, async (): Promise<RedisFabric> => {
        const fabric = redisFabric({ realtimeUrl: url, queueUrl: url, prefix, clocks: CLOCKS })
        closing.push(() => fabric.close())
        await fabric.start()
        return fabric
      }),
    )
    const store = createStore(url, { times: CLOCKS })
    closing.push(() => store.close())
    await store.connected(5_000)
    const keys = keysFor(prefix)
    const [one, two = one] = fabrics
    if (!one || !two) throw new Error('a house has at least one process')
    return { one, two, keys, store, remove: (key: string) => store.command(key, 'DEL', key) }
  }

  describe('an eviction of one key', () => {
    it('of the text: nothing is added to what is left, and the next attempt begins anew', async () => {
      const { one, keys, remove } = await house()
      const { answers } = one
      const ref = someAnswer()
      await begin(answers, ref)
      await say(answers, ref, 0, ['a', 'b'])
      await remove(keys.chunks(ref.uid, ref.answerId))
      expect(await say(answers, ref, 1, ['b', 'c'])).toEqual(['gone', 'gone'])
      expect(await answers.merge(ref, 1, 0, 2, chunkPacket(ref, 1, 0, 'ab'))).toBe(false)
      expect(await spoken(answers, ref)).toBeUndefined()
      expect(await begin(answers, ref, 2)).toBe('begun')
      expect(await say(answers, ref, 0, ['a', 'b', 'c'], 2)).toEqual(['accepted', 'accepted', 'accepted'])
      expect(await spoken(answers, ref)).toBe('abc')
    })

    it('of the text, closed: there is no text, and not a part of it', async () => {
      const { one, keys, store } = await house()
      const { answers } = one
      const ref = someAnswer()
      await begin(answers, ref)
      await say(answers, ref, 0, ['a', 'b', 'c'])
      const list = keys.chunks(ref.uid, ref.answerId)
      await store.command(list, 'LPOP', list)
      expect((await answers.close(ref)).chunks).toEqual([])
    })

    for (const [what, next] of Object.entries({
      'an append': (answers: Answers, ref: AnswerRef) => say(answers, ref, 2, ['c']),
      'a cancel': (answers: Answers, ref: AnswerRef) => answers.cancel(ref),
      'a begin': (answers: Answers, ref: AnswerRef) => begin(answers, ref, 2),
      'a close': (answers: Answers, ref: AnswerRef) => answers.close(ref),
    })) {
      it(`of the record: what is left is not taken for text by ${what}`, async () => {
        const { one, keys, remove } = await house()
        const { answers } = one
        const ref = someAnswer()
        await begin(answers, ref)
        await say(answers, ref, 0, ['a', 'b'])
        await remove(keys.answer(ref.uid, ref.answerId))
        await next(answers, ref)
        expect((await spoken(answers, ref)) ?? '').toBe('')
        expect((await answers.close(ref)).chunks).toEqual([])
      })
    }

    it('of the index: a fence that does not see an answer lets nothing be added to it', async () => {
      const { one, keys, remove } = await house()
      const { answers } = one
      const ref = someAnswer()
      await begin(answers, ref)
      await say(answers, ref, 0, ['a'])
      await remove(keys.ofUser(ref.uid).answers)
      expect(await answers.fence(ref.uid, ref.sid, 1)).toEqual([])
      expect(await say(answers, ref, 1, ['b'])).toEqual(['gone'])
      expect(await begin(answers, ref, 2, 0)).toBe('fenced')
      expect((await answers.close(ref)).chunks.map(text)).toEqual(['a'])
    })
  })

  describe('several processes', () => {
    it('that race for an attempt: one begins it, and the others do not announce it', async () => {
      const { one, two } = await house(2)
      const refs = Array.from({ length: 20 }, () => someAnswer())
      for (const ref of refs) {
        const outcomes = await Promise.all([one, two, one, two].map(({ answers }) => begin(answers, ref)))
        expect(outcomes.toSorted()).toEqual(['begun', 'stale', 'stale', 'stale'])
        expect((await one.bus.top(ref.uid)).offset).toBe(1)
      }
    })

    it('mix no two attempts when a ghost goes on beside its heir (P6)', async () => {
      const { one: ghost, two: heir } = await house(2)
      for (let round = 0; round < 10; round += 1) {
        const ref = someAnswer()
        await begin(ghost.answers, ref, 1)
        const haunting = (async () => {
          for (let i = 0; (await say(ghost.answers, ref, i, ['g']))[0] === 'accepted'; i += 1);
        })()
        expect(await begin(heir.answers, ref, 2)).toBe('begun')
        for (let i = 0; i < 20; i += 1) expect(await say(heir.answers, ref, i, ['h'], 2)).toEqual(['accepted'])
        await haunting
        expect((await ghost.answers.close(ref)).chunks.map(text).join('')).toBe('h'.repeat(20))
      }
    })

    it('hear of a cancel that another one was asked for', async () => {
      const { one, two } = await house(2)
      const ref = someAnswer({ answerId: answerId('with ümlaut\nand line break') })
      const heard = new Promise((resolve) => two.answers.onCancel(resolve).then(() => one.answers.cancel(ref)))
      expect(await heard).toBe(ref.answerId)
      expect(await two.answers.cancelled([ref])).toEqual([true])
    })
  })

  it('keeps bytes as they are', async () => {
    const { one } = await house()
    const ref = someAnswer()
    const body = Uint8Array.from({ length: 512 }, (_, i) => i % 256)
    await begin(one.answers, ref)
    const packet = { ...chunkPacket(ref, 1, 0, ''), body }
    expect(await one.answers.append([{ ref, attempt: 1, index: 0, chunk: packet }])).toEqual(['accepted'])
    const [open] = (await one.answers.snapshot(ref.uid)).open
    await one.answers.end(ref, 1, { ...endPacket(ref, 1), body })
    const { end } = await one.answers.close(ref)
    expect([open?.chunks[0]?.header, end?.header]).toEqual([packet.header, endPacket(ref, 1).header])
    expect([open?.chunks[0]?.body, end?.body].map((bytes) => bytes && Uint8Array.from(bytes))).toEqual([body, body])
  })

  it('goes on when somebody has flushed the scripts', async () => {
    const { one, store, keys } = await house()
    const { answers } = one
    const ref = someAnswer()
    const flush = () => {
      const key = keys.answer(ref.uid, ref.answerId)
      return store.command(key, 'SCRIPT', 'FLUSH')
    }
    await flush()
    expect(await begin(answers, ref)).toBe('begun')
    await flush()
    expect(await say(answers, ref, 0, ['a', 'b', 'c'])).toEqual(['accepted', 'accepted', 'accepted'])
    await flush()
    expect(await spoken(answers, ref)).toBe('abc')
    await flush()
    expect(await answers.inspect([ref])).toMatchObject([{ state: 'open' }])
    await flush()
    expect(await answers.end(ref, 1, endPacket(ref, 1))).toBe('ended')
  })

  it('while the server refuses to store anything leaves all as it was, and loses nothing afterwards', async () => {
    const { one, store, keys } = await house()
    const { answers } = one
    const ref = someAnswer()
    await begin(answers, ref)
    await say(answers, ref, 0, ['a', 'b'])
    const key = keys.answer(ref.uid, ref.answerId)
    const memory = (bytes: number) => store.command(key, 'CONFIG', 'SET', 'maxmemory', bytes)
    await memory(1)
    try {
      await expect(say(answers, ref, 2, ['c'])).rejects.toThrow(Unavailable)
      await expect(answers.merge(ref, 1, 0, 2, chunkPacket(ref, 1, 0, 'ab'))).rejects.toThrow(Unavailable)
      await expect(begin(answers, ref, 2)).rejects.toThrow(Unavailable)
      await expect(answers.end(ref, 1, endPacket(ref, 1))).rejects.toThrow(Unavailable)
      await expect(answers.fence(ref.uid, ref.sid, 1)).rejects.toThrow(Unavailable)
      await expect(answers.close(ref)).rejects.toThrow(Unavailable)
      expect(await spoken(answers, ref)).toBe('ab')
    } finally {
      await memory(0)
    }
    expect(await say(answers, ref, 2, ['c'])).toEqual(['accepted'])
    expect((await answers.fence(ref.uid, ref.sid, 1))[0]?.chunks.map(text)).toEqual(['a', 'b', 'c'])
  })

  it('a chunk that a hanging server did not answer is sent again, and neither kept nor published twice (R14)', async () => {
    const { one, two, store, keys } = await house(2)
    const away = someAnswer()
    const awayKey = keys.answer(away.uid, away.answerId)
    // In a cluster one that another server has.
    const other = Array.from({ length: 100 }, () => someAnswer()).find(
      ({ uid, answerId: id }) => store.runAt(keys.answer(uid, id)) !== store.runAt(awayKey),
    )
    for (const ref of [away, ...(other ? [other] : [])]) await begin(one.answers, ref)
    const heard: string[] = []
    await two.bus.subscribe(away.uid, { event: (packet) => heard.push(text(packet)), gap: () => undefined })
    await store.command(awayKey, 'CLIENT', 'PAUSE', 2_000, 'ALL')

    const chunks = [away, ...(other ? [other] : [])].map((ref) => chunk(ref, 1, 0, 'said'))
    if (other) expect(await one.answers.append(chunks)).toEqual(['unknown', 'accepted'])
    else await expect(one.answers.append(chunks)).rejects.toThrow(Unavailable)
    await expect
      .poll(() => one.answers.append(chunks).catch(() => []), { timeout: 5_000 })
      .toEqual(chunks.map(() => 'accepted'))
    expect(await say(one.answers, away, 1, ['more'])).toEqual(['accepted'])
    await expect.poll(() => heard).toEqual(['said', 'more'])
    expect(await spoken(one.answers, away)).toBe('saidmore')
  })

  describe('what nobody touches', () => {
    const allKeys = async (store: Store, key: string, pattern: string) =>
      ((await store.command(key, 'KEYS', pattern)) as Buffer[]).map(String)

    it('goes: every key has its end', async () => {
      const { one, store, keys } = await house()
      const { answers } = one
      const ref = someAnswer()
      const [cancelled, marked, ended, fenced, forgotten] = Array.from({ length: 5 }, () =>
        someAnswer({ uid: ref.uid }),
      ) as [AnswerRef, AnswerRef, AnswerRef, AnswerRef, AnswerRef]
      for (const one of [ref, ended, fenced, forgotten]) {
        await begin(answers, one)
        await say(answers, one, 0, ['a', 'b'])
        await answers.merge(one, 1, 0, 2, chunkPacket(one, 1, 0, 'ab'))
      }
      await answers.cancel(cancelled)
      await answers.close(marked)
      await answers.end(ended, 1, endPacket(ended, 1))
      await answers.fence(fenced.uid, fenced.sid, 1)
      await answers.forget(forgotten.uid, forgotten.sid)
      await answers.snapshot(ref.uid)
      const { meta, answers: index } = keys.ofUser(ref.uid)
      const names = await allKeys(store, meta, `${meta.slice(0, meta.lastIndexOf('}'))}*`)
      // Six records, the texts of two (an end has taken the place of the third), the index, the epochs, and the log's two keys.
      expect(names).toHaveLength(12)
      const ttls = new Map<string, number>()
      for (const name of names) ttls.set(name, Number(await store.command(name, 'PTTL', name)))
      expect([...ttls].filter(([, ttl]) => ttl <= 0)).toEqual([])
      const ofRef = keys.answer(ref.uid, ref.answerId)
      expect(ttls.get(ofRef)).toBeGreaterThan(3_000_000)
      expect(ttls.get(index)).toBeGreaterThan(3_000_000)
      for (const one of [cancelled, marked, ended, fenced, forgotten]) {
        expect(ttls.get(keys.answer(one.uid, one.answerId))).toBeLessThanOrEqual(600_000)
        expect(ttls.get(keys.chunks(one.uid, one.answerId)) ?? 0).toBeLessThanOrEqual(600_000)
      }
    })

    it('is dropped from the index by whoever meets it, and by begins when nobody does', async () => {
      const { one, store, keys, remove } = await house()
      const { answers } = one
      const ref = someAnswer()
      const index = keys.ofUser(ref.uid).answers
      const named = async () => Number(await store.command(index, 'HLEN', index))
      const beginAndLose = async () => {
        const lost = someAnswer({ uid: ref.uid })
        await begin(answers, lost)
        await remove(keys.answer(lost.uid, lost.answerId))
      }
      for (let i = 0; i < 31; i += 1) await beginAndLose()
      expect(await named()).toBe(31)
      await begin(answers, ref)
      expect(await named()).toBe(1)
      for (const meet of [() => answers.snapshot(ref.uid), () => answers.fence(ref.uid, someSession(), 1)]) {
        await beginAndLose()
        expect(await named()).toBe(2)
        await meet()
        expect(await named()).toBe(1)
      }
    })

    it('goes from the epochs, though the user’s other sessions are in use', async () => {
      const { one, store, keys } = await house()
      const { answers } = one
      const [uid, sid, idle] = [someAnswer().uid, someSession(), someSession()]
      const { epochs } = keys.ofUser(uid)
      await answers.fence(uid, sid, 3)
      await store.command(epochs, 'HSET', epochs, idle, '7:1000')
      expect((await answers.snapshot(uid)).epochs).toEqual(new Map([[sid, 3]]))
      expect(await begin(answers, someAnswer({ uid, sid: idle }))).toBe('begun')
      await answers.fence(uid, sid, 4)
      expect(Number(await store.command(epochs, 'HLEN', epochs))).toBe(1)
    })

    it('is an epoch under which nothing begins', async () => {
      const { one, store, keys } = await house()
      const { answers } = one
      const [uid, sid] = [someAnswer().uid, someSession()]
      const { epochs } = keys.ofUser(uid)
      await answers.fence(uid, sid, 3)
      const touched = async () => String(await store.command(epochs, 'HGET', epochs, sid))
      const before = await touched()
      await expect
        .poll(async () => {
          await begin(answers, someAnswer({ uid, sid }), 1, 3)
          return touched()
        })
        .not.toBe(before)
      expect((await answers.snapshot(uid)).epochs).toEqual(new Map([[sid, 3]]))
    })
  })
}

await onEachRedis((_, redis) => describe('Answers, and what Redis does to them', () => suite(redis)))
