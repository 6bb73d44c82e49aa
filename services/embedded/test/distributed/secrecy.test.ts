import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { available } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, later, ownRedis, patient } from './scene.ts'
import { say, startDistributed } from './system.ts'

const there = await available('redis')
afterEach(cleanUp)

const canary = (name: string) => `canary-${name}-${randomBytes(6).toString('hex')}`

/** Every file below a folder, as text in which bytes that are no letters stand for themselves. */
function filesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesIn(path) : [readFileSync(path, 'latin1')]
  })
}

describe.skipIf(!there)('what Redis holds', { timeout: 60_000 }, () => {
  it('is nothing that anybody wrote: no text, no name, no user, no token, in memory, dump or append-only file (X5)', async () => {
    const redis = await ownRedis(['--appendonly', 'yes', '--rdbcompression', 'no', '--save', '3600 1000000'])
    const system = await startDistributed({ redisUrl: redis.url, edges: 2, env: { LOG_LEVEL: 'trace' } })
    later(() => system.stop())
    const [one, two] = system.edges
    if (!one || !two) throw new Error('there is no edge')
    const user = `${canary('user')}@example.org`
    const words = canary('message')
    const token = await system.token(user)
    const asks = await system.device(one, user, 'asks')
    const looks = await system.device(two, user, 'looks')
    const { sid, answer } = await say(asks, `Please say ${words} slowly`)
    await looks.waitFor('answer.delta', (frame) => frame.answerId === answer?.answerId && frame.index > 2)

    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    later(async () => admin.disconnect())
    // In the middle of the answer: log, answer, chunks, entries, job, registry and limits are all there.
    await admin.save()
    const keys = await admin.keys('*')
    const values = await Promise.all(keys.map((key) => admin.dumpBuffer(key)))
    const memory = values.map((value) => value?.toString('latin1') ?? '')
    const found = await looks.waitFor('answer.done', (frame) => frame.answerId === answer?.answerId)
    const { turns } = await system.stored(sid)
    const text = turns[0]?.answer?.text ?? ''
    expect(found.length).toBe(Buffer.byteLength(text))
    const sentence =
      text
        .split(/[.!?\n]/)
        .find((part) => part.trim().length > 20)
        ?.trim() ?? ''
    expect(sentence).not.toBe('')

    const kinds = new Set(keys.map((key) => key.replace(/\{[^}]*\}/, '{}').replace(/^([^:]*:[^:]*:[^:]*).*/, '$1')))
    expect(kinds.size).toBeGreaterThan(4)
    const held = [keys.join('\n'), ...memory, ...filesIn(redis.dir)].join('\n')
    const logs = system.edges.map(({ process }) => process.output()).join('\n')
    expect(logs).toContain('start-up complete')
    for (const secret of [words, user, user.slice(0, 20), token, token.split('.')[2] ?? '', sentence]) {
      expect(held.includes(secret), `Redis holds ${secret}`).toBe(false)
      expect(logs.includes(secret), `a log holds ${secret}`).toBe(false)
    }
    // The search would find what is there.
    expect(held.includes(answer?.answerId ?? 'no answer')).toBe(true)
    await expect.poll(() => filesIn(redis.dir).length, patient).toBeGreaterThan(1)
  })
})
