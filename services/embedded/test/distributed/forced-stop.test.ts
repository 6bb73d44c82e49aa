import { available } from '@chatbox/testkit/servers'
import { afterEach, expect, it } from 'vitest'
import { cleanUp, later, ownRedis } from './scene.ts'
import { startDistributed } from './system.ts'

const there = await available('redis')
afterEach(cleanUp)

it.skipIf(!there)(
  'an edge that cannot end its stop in time says so, closes what is left, and exits with 1 (S9)',
  { timeout: 60_000 },
  async () => {
    const redis = await ownRedis()
    const { pid } = redis
    if (pid === undefined) throw new Error('this Redis has no process here')
    // At real clocks whoever asked is waited for longer than the whole stop may take.
    const system = await startDistributed({ redisUrl: redis.url, edges: 0 })
    later(() => system.stop())
    const edge = await system.startEdge({ CLOCK_SCALE: '1', SHUTDOWN_TIMEOUT: '1s' })
    const [asks, idles] = [await system.device(edge, 'ada', 'asks'), await system.device(edge, 'bob', 'idles')]

    process.kill(pid, 'SIGSTOP')
    try {
      asks.send({ type: 'message.send', clientMessageId: 'c-1', text: 'hello' })
      asks.send({ type: 'ping', requestId: 'taken' })
      await asks.waitFor('pong', ({ requestId }) => requestId === 'taken')
      edge.process.kill('SIGTERM')
      expect(await idles.closed()).toMatchObject({ code: 1012 })
      // It is not sent away before its question is answered, as long as there is time.
      expect(asks.end).toBeUndefined()
      expect(await asks.closed()).toMatchObject({ code: 1012 })
      for (const device of [asks, idles]) await device.waitFor('reconnect')
      expect(await edge.process.exited).toEqual({ code: 1, signal: null })
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    const lines = edge.process
      .output()
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', part: 'edge', msg: 'forced to stop' }))
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'stop complete', exitCode: 1 }))
  },
)
