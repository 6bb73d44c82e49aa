import { readFileSync } from 'node:fs'
import { userId } from '@chatbox/core'
import { encodeFrame } from '@chatbox/protocol'
import { available } from '@chatbox/testkit/servers'
import type { WireClient } from '@chatbox/testkit/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, later, ownRedis, patient } from './scene.ts'
import { placeOf, startDistributed } from './system.ts'

const there = await available('redis')
afterEach(cleanUp)

const READERS = 999
const EVENTS = 900
const MIB = 1_048_576

const rssOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024

describe.skipIf(!there || process.platform !== 'linux')(
  'a reader that stops reading among a thousand that read',
  { timeout: 60_000 },
  () => {
    it('costs no more than its limit, harms nobody, is closed as too slow, and may come back (P10, fault 19)', async () => {
      const redis = await ownRedis()
      const system = await startDistributed({ redisUrl: redis.url, edges: 1 })
      later(() => system.stop())
      const [edge] = system.edges
      if (!edge) throw new Error('there is no edge')
      const slow = await system.device(edge, 'slow', 'one')
      const readers: WireClient[] = []
      while (readers.length < READERS) {
        const some = Array.from({ length: 37 }, (_, n) => readers.length + n)
        readers.push(
          ...(await Promise.all(
            some.map((i) => system.device(edge, `reader-${i % 333}`, `device-${Math.floor(i / 333)}`)),
          )),
        )
      }
      const send = (user: string, name: string) =>
        system.fabric.bus.append(
          userId(user),
          {
            header: { class: 'logged', type: 'session.updated' },
            body: encodeFrame({ type: 'session.updated', sid: 's-1', rev: 1, session: { ...SESSION, name } }),
          },
          1,
        )
      const before = rssOf(edge.process.pid)
      slow.socket.pause()
      const long = 'x'.repeat(15_000)
      let highest = before
      for (let i = 0; i < EVENTS; i += 1) {
        await send('slow', `${i} ${long}`)
        if (i % 3 === 0) await send(`reader-${(i / 3) % 333}`, `word ${i}`)
        if (i % 50 === 0) highest = Math.max(highest, rssOf(edge.process.pid))
      }
      // 13 MB were sent to somebody who took none of it.
      expect(highest - before).toBeLessThan(64 * MIB)
      for (const [i, reader] of readers.entries()) {
        const words = () => reader.frames.filter(({ type }) => type === 'session.updated').length
        const wanted = Array.from({ length: EVENTS / 3 }, (_, n) => n % 333).filter((n) => n === i % 333).length
        await expect.poll(words, patient).toBe(wanted)
        expect(reader.end).toBeUndefined()
      }
      slow.socket.resume()
      expect((await slow.closed()).reason).toBe('slow_consumer')
      const again = await system.device(edge, 'slow', 'one', { resume: placeOf(slow) })
      expect(again.frames[0]?.type).toBe('ready')
      await send('slow', 'and on')
      await again.waitFor('session.updated', ({ session }) => session.name === 'and on')
      await Promise.all([again, ...readers].map((device) => device.close()))
    })
  },
)

const SESSION = {
  id: 's-1',
  modelId: 'demo',
  startedAt: 1,
  lastActivity: 1,
  messageCount: 1,
  totalTokens: 0,
  totalCost: 0,
  readSeq: 0,
  unreadCount: 1,
  helpRequested: false,
  rev: 1,
}
