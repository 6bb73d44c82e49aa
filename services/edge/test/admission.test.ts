import { connectWire, refusedUpgrade } from '@chatbox/testkit/wire'
import { describe, expect, it } from 'vitest'
import { admission } from '../src/admission.ts'
import { echo, openEdge, PAGE, sizeOf, tokenOf } from './support/open-edge.ts'

describe('admission (fault 28)', () => {
  /** So many at once, at a time of a clock that stands. */
  function crowd(perSecond: number) {
    let now = 0
    const enter = admission(perSecond, () => now)
    return {
      pass(ms: number) {
        now += ms
      },
      come: (count: number, seesStatus = false) => Array.from({ length: count }, () => enter(seesStatus)),
    }
  }
  const countIn = (all: readonly { kind: string }[]) => all.filter(({ kind }) => kind === 'in').length

  it('lets a few in at once and then so many a second, however many come', () => {
    const { come, pass } = crowd(500)
    expect(countIn(come(2_000))).toBe(100)
    let admitted = 0
    for (let i = 0; i < 100; i++) {
      pass(10)
      admitted += countIn(come(50))
    }
    expect(admitted).toBe(500)
    pass(60_000)
    expect(countIn(come(2_000))).toBe(100)
  })

  const timesOf = (all: readonly ReturnType<ReturnType<typeof admission>>[]) =>
    all.flatMap((entered) => (entered.kind === 'in' ? [] : [entered.afterMs]))

  it('gives each of those who are turned away a time of its own, no later than all need', () => {
    const { come } = crowd(500)
    const told = timesOf(come(5_100, true))
    expect(told).toHaveLength(5_000)
    expect(Math.min(...told)).toBeGreaterThanOrEqual(100)
    expect(Math.max(...told)).toBeLessThanOrEqual(10_000 + 300)
    const inSecond = Array.from({ length: 10 }, (_, s) => told.filter((ms) => Math.floor(ms / 1_000) === s).length)
    for (const count of inSecond) expect(count).toBeLessThan(700)
  })

  it('lets almost all of them in when they come at their time', () => {
    const { come, pass } = crowd(500)
    let waiting = timesOf(come(5_100, true))
    let again = 0
    for (let at = 0; waiting.length > 0; at += 10) {
      expect(at).toBeLessThan(12_000)
      const due = waiting.filter((ms) => ms <= at)
      waiting = waiting.filter((ms) => ms > at)
      const later = timesOf(come(due.length, true)).map((ms) => at + ms)
      again += later.length
      waiting.push(...later)
      pass(10)
    }
    expect(again).toBeLessThan(500)
  })

  it('asks nobody to wait longer than half a minute, however many come', () => {
    const { come } = crowd(100)
    const told = timesOf(come(20_000, true))
    expect(Math.max(...told)).toBeLessThanOrEqual(30_300)
    expect(told.slice(5_000).filter((ms) => ms >= 15_000)).toHaveLength(told.length - 5_000)
  })

  it('opens no more sockets than four times the rate only to say no', () => {
    const { come, pass } = crowd(100)
    const first = come(1_000)
    expect(first.filter(({ kind }) => kind === 'told')).toHaveLength(100)
    expect(first.filter(({ kind }) => kind === 'refused')).toHaveLength(880)
    pass(1_000)
    expect(come(1_000).filter(({ kind }) => kind === 'told')).toHaveLength(100)
    expect(come(10, true).some(({ kind }) => kind === 'told')).toBe(false)
  })
})

describe('an edge that too many come to at once', () => {
  it('tells pages over a socket when to come back, and programs by a status', async () => {
    const open = await openEdge({ handshakesPerSecond: 5 })
    const client = await open.device('ada')
    const page = await open.connect()
    expect(await page.waitFor('reconnect')).toMatchObject({ reason: 'crowded', afterMs: expect.any(Number) })
    expect(await page.closed()).toMatchObject({ code: 1013 })
    const headers = { Authorization: `Bearer ${await tokenOf('bob')}` }
    expect(await refusedUpgrade(open.url, { headers })).toBe(503)
    await echo(client)
    expect(await open.metric('edge_handshakes_total', '{outcome="told_later"}')).toBe(1)
    expect(await open.metric('edge_handshakes_total', '{outcome="crowded"}')).toBe(1)
    expect(await sizeOf(open, 'strangers')).toBe(0)
    expect(await open.metric('edge_unauthenticated_total', '{why="silent"}')).toBe(0)
  })

  it('refuses foreign pages before it counts anybody', async () => {
    const { url, connect } = await openEdge({ handshakesPerSecond: 5 })
    for (let i = 0; i < 20; i++) expect(await refusedUpgrade(url, { origin: 'https://evil.net' })).toBe(403)
    const client = await connect()
    await client.hello({ token: await tokenOf('ada'), deviceId: 'd' })
    expect(client.frames.map(({ type }) => type)).toEqual(['ready'])
  })

  it('has all of them in the end, if they come when they were told', { timeout: 30_000 }, async () => {
    const open = await openEdge({ handshakesPerSecond: 100 })
    const inside = await open.device('ada')
    const from = Date.now()
    let slowest = 0
    let over = false
    const watching = (async () => {
      while (!over) {
        const asked = Date.now()
        await echo(inside)
        slowest = Math.max(slowest, Date.now() - asked)
      }
    })()
    async function comeIn(user: string): Promise<void> {
      const token = await tokenOf(user)
      for (;;) {
        const client = await connectWire(open.url, { origin: PAGE }).catch(() => undefined)
        if (!client) {
          await new Promise((resolve) => setTimeout(resolve, 500 * Math.random()))
          continue
        }
        client.send({ type: 'hello', token, deviceId: 'd' })
        const told = await Promise.race([client.waitFor('ready'), client.waitFor('reconnect')])
        if (told.type === 'ready') return client.close()
        await new Promise((resolve) => setTimeout(resolve, told.afterMs))
      }
    }
    await Promise.all(Array.from({ length: 200 }, (_, i) => comeIn(`user-${i}`)))
    over = true
    await watching
    expect(Date.now() - from).toBeLessThan(15_000)
    expect(slowest).toBeLessThan(1_000)
    expect(await open.metric('edge_handshakes_total', '{outcome="told_later"}')).toBeGreaterThan(50)
  })
})
