import { type EventPacket, userId } from '@chatbox/core'
import { available } from '@chatbox/testkit/servers'
import { describe, expect, it } from 'vitest'
import { follow } from './support/follower.ts'
import { stand } from './support/stand.ts'

const uid = userId('u1')
const event = (text: string): EventPacket => ({
  header: { class: 'logged', type: 'message' },
  body: new TextEncoder().encode(text),
})
const textOf = (packet: EventPacket) => Buffer.from(packet.body).toString()

describe.skipIf(!(await available('redis')))('a log that is forgotten', () => {
  const { server, fabricAt, admin } = stand()

  it('leaves nothing in Redis of what was in it (security 34)', async () => {
    const redis = await server()
    const { bus } = await fabricAt(redis.url)
    for (const n of [1, 2, 3]) await bus.append(uid, event(`canary ${n}`), 4)
    const raw = admin(redis)
    const dump = async () => {
      const values = await Promise.all((await raw.keys('*')).map((key) => raw.dumpBuffer(key)))
      return Buffer.concat(values.map((value) => value ?? Buffer.alloc(0)))
    }
    expect((await dump()).includes('canary')).toBe(true)
    await bus.forget(uid)
    expect((await dump()).includes('canary')).toBe(false)
    expect(await raw.exists(`chatbox:{${uid}}:events`)).toBe(0)
    expect(await raw.hgetall(`chatbox:{${uid}}:log`)).toMatchObject({ top: '0', gen: '4' })
    // What is left goes with the time, as any log does.
    expect(await raw.pttl(`chatbox:{${uid}}:log`)).toBeGreaterThan(0)
  })

  it('is told to those who are subscribed at once, without any looking for it, on every process', async () => {
    const redis = await server()
    const errors: unknown[] = []
    const more = { clocks: { compareMs: 3_600_000 }, onError: (error: unknown) => errors.push(error) }
    const [one, two] = [await fabricAt(redis.url, more), await fabricAt(redis.url, more)]
    const followers = [await follow(one.bus, uid, textOf), await follow(two.bus, uid, textOf)]
    await one.bus.append(uid, event('before'), 1)
    await expect.poll(() => followers.map(({ texts }) => texts.length)).toEqual([1, 1])
    await two.bus.forget(uid)
    await expect.poll(() => followers.map(({ losses }) => losses)).toEqual([[1], [1]])
    await one.bus.append(uid, event('after'), 1)
    for (const follower of followers) {
      await follower.settled()
      expect(follower.texts).toEqual(['before', 'after'])
    }
    expect(errors).toEqual([])
  })
})
