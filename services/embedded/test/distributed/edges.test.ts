import { available, type RunningServer, startRedis } from '@chatbox/testkit/servers'
import { shownTexts, type WireClient } from '@chatbox/testkit/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Distributed, type EdgeProcess, placeOf, say, startDistributed } from './system.ts'

const there = await available('redis')

describe.skipIf(!there)('three edges over one Redis', { timeout: 60_000 }, () => {
  let redis: RunningServer
  let system: Distributed
  beforeAll(async () => {
    redis = await startRedis()
    system = await startDistributed({ redisUrl: redis.url })
  })
  afterAll(async () => {
    await system?.stop()
    await redis?.stop()
  })
  const edge = (i: number): EdgeProcess => {
    const found = system.edges[i]
    if (!found) throw new Error(`there is no edge ${i}`)
    return found
  }
  const logged = ({ frames }: WireClient) => frames.filter((frame) => 'at' in frame && frame.type !== 'ready')
  const storedText = async (sid: string): Promise<string | undefined> => {
    const { turns } = await system.stored(sid)
    return turns[0]?.answer?.text
  }

  it('show the same events in the same order to the devices of a user, wherever they are', async () => {
    const devices = await Promise.all([0, 1, 2].map((i) => system.device(edge(i), 'anna', `device-${i}`)))
    const [one] = devices
    if (!one) throw new Error('there is no device')
    const { sid } = await say(one, 'What can you do?')
    await Promise.all(devices.map((device) => device.waitFor('session.updated', (f) => f.session.totalTokens > 0)))
    const done = await one.waitFor('answer.done')
    for (const device of devices) {
      expect(logged(device)).toEqual(logged(one))
      expect(shownTexts(device.frames).get(done.answerId)?.text).toBe(await storedText(sid))
    }
    await Promise.all(devices.map((device) => device.close()))
  })

  it('let a device go from one to another in the middle of an answer, which ends with the stored text', async () => {
    const watcher = await system.device(edge(2), 'berta', 'watcher')
    let mover = await system.device(edge(0), 'berta', 'mover')
    const { sid, answer } = await say(mover, 'Answer slowly, please')
    const answerId = answer?.answerId ?? ''
    const frames = [...mover.frames]
    for (const i of [1, 2, 0]) {
      const seen = shownTexts(mover.frames).get(answerId)?.next ?? 0
      await mover.waitFor('answer.delta', (frame) => frame.answerId === answerId && frame.index > seen)
      const resume = placeOf(mover)
      frames.push(...mover.frames)
      mover.cut()
      mover = await system.device(edge(i), 'berta', 'mover', { resume })
      expect(mover.frames[0]).toMatchObject({ type: 'ready', recovered: true })
    }
    await mover.waitFor('answer.done', (frame) => frame.answerId === answerId)
    frames.push(...mover.frames)
    expect(shownTexts(frames).get(answerId)?.text).toBe(await storedText(sid))
    await Promise.all([mover.close(), watcher.close()])
  })

  it('refuse the eleventh connection of a user, and tell the others (S3)', async () => {
    const devices = await Promise.all(
      Array.from({ length: 10 }, (_, i) => system.device(edge(i % 3), 'clara', `device-${i}`)),
    )
    await expect(system.device(edge(1), 'clara', 'one-too-many')).rejects.toThrow()
    await Promise.all(devices.map((device) => device.waitFor('notice', ({ code }) => code === 'connection_limit')))
    await devices[0]?.close()
    await expect
      .poll(async () => {
        const device = await system.device(edge(2), 'clara', 'the-eleventh').catch(() => undefined)
        await device?.close()
        return device !== undefined
      })
      .toBe(true)
    await Promise.all(devices.map((device) => device.close()))
  })

  it('admit exactly ten of two hundred connections that come at once', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) => system.device(edge(i % 3), 'dora', `device-${i}`)),
    )
    const admitted = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
    expect(admitted.length).toBe(10)
    expect(admitted.filter(({ end }) => end !== undefined)).toEqual([])
    await Promise.all(admitted.map((device) => device.close()))
  })

  it('keep one of two connections with one device id that race (S4)', async () => {
    for (let round = 0; round < 10; round += 1) {
      const both = await Promise.allSettled([0, 1].map((i) => system.device(edge(i), `emma-${round}`, 'the-same')))
      // The loser may be told before it is ready, or after.
      const [refused] = both.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
      const ready = both.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      if (refused === undefined) await expect.poll(() => ready.filter(({ end }) => end !== undefined).length).toBe(1)
      const loser = ready.find(({ end }) => end !== undefined)
      expect(refused ?? loser?.end?.reason).toContain('replaced')
      const winner = ready.find(({ end }) => end === undefined)
      if (!winner) throw new Error('nobody is left')
      await say(winner, 'I am the one')
      await winner.close()
    }
  })

  it('make one message of one that is sent through all of them at once (P2)', async () => {
    const devices = await Promise.all([0, 1, 2].map((i) => system.device(edge(i), 'fritzi', `device-${i}`)))
    const accepted = await Promise.all(devices.map((device) => say(device, 'only once', { clientMessageId: 'one' })))
    expect(new Set(accepted.map(({ sid, seq }) => `${sid} ${seq}`)).size).toBe(1)
    const { turns } = await system.stored(accepted[0]?.sid ?? '')
    expect(turns.length).toBe(1)
    await Promise.all(devices.map((device) => device.close()))
  })

  it('stop an answer from a device on another edge (L3)', async () => {
    const [asks, stops] = await Promise.all([0, 1].map((i) => system.device(edge(i), 'gerda', `device-${i}`)))
    if (!asks || !stops) throw new Error('there is no device')
    const { sid, answer } = await say(asks, 'Something long, please')
    await stops.waitFor('answer.delta', (frame) => frame.answerId === answer?.answerId && frame.index > 3)
    stops.send({ type: 'answer.cancel', sid, answerId: answer?.answerId ?? '' })
    const done = await asks.waitFor('answer.done', (frame) => frame.answerId === answer?.answerId)
    expect(done.status).toBe('cancelled')
    await Promise.all([asks.close(), stops.close()])
  })
})
