import { readFileSync } from 'node:fs'
import { available } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, later, ownRedis, patient } from './scene.ts'
import { type EdgeProcess, startDistributed } from './system.ts'

const there = await available('redis')
afterEach(cleanUp)

const CONNECTIONS = 10_000
const AT_ONCE = 50
const MIB = 1_024

/** Structures that hold something for a connection, by the names of their metrics. */
async function held(edge: EdgeProcess): Promise<Record<string, number>> {
  const text = await (await fetch(new URL('/metrics', edge.opsUrl))).text()
  const found = [...text.matchAll(/^chatbox_structure_entries\{structure="([^"]+)"\} (\S+)$/gm)]
  const sizes = found.map(([, name = '', size]): [string, number] => [name, Number(size)])
  // Verified tokens and users' keys are remembered on purpose, up to a bound.
  return Object.fromEntries(sizes.filter(([name]) => name !== 'edge_tokens' && name !== 'keys_users'))
}

const rssKiB = ({ process }: EdgeProcess): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))?.[1])

describe.skipIf(!there || process.platform !== 'linux')('ten thousand connections that came and went', () => {
  it('leave nothing behind in any structure, nor in Redis, and no memory that grows (S5, P10)', async () => {
    const redis = await ownRedis()
    const system = await startDistributed({ redisUrl: redis.url, edges: 1 })
    later(() => system.stop())
    const [edge] = system.edges
    if (!edge) throw new Error('there is no edge')
    const before = await held(edge)
    expect(Object.keys(before).length).toBeGreaterThan(3)

    const round = async (from: number, to: number) => {
      for (let i = from; i < to; i += AT_ONCE) {
        const some = Array.from({ length: AT_ONCE }, (_, n) => system.device(edge, `user-${i + n}`, 'one'))
        await Promise.all((await Promise.all(some)).map((device) => device.close()))
      }
    }
    // The heap grows once with the work; that is not to count.
    await round(0, CONNECTIONS / 2)
    const half = rssKiB(edge)
    await round(CONNECTIONS / 2, CONNECTIONS)
    await expect.poll(() => held(edge), patient).toEqual(before)
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    later(async () => admin.disconnect())
    await expect.poll(() => admin.keys('*:connections'), patient).toEqual([])
    expect(rssKiB(edge) - half).toBeLessThan(48 * MIB)
  })
})
