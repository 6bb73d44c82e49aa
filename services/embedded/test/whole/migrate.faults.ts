import { randomBytes, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { defaultHashKey } from '@chatbox/crypto'
import { signToken } from '@chatbox/runtime'
import { killAll, runNode } from '@chatbox/testkit/process'
import { available, startMongo, startRedis } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, later, patient } from '../distributed/scene.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const [MAIN, MIGRATE] = ['main', 'migrate.main'].map((name) =>
  fileURLToPath(new URL(`../../../storage/dist/${name}.js`, import.meta.url)),
) as [string, string]

describe.skipIf(!there)('storage over a database that nobody has migrated', { timeout: 300_000 }, () => {
  it('lives, is not ready, and serves nothing; the migration mends that without a restart, and its check says when (D2, O1)', async () => {
    const [redis, mongo] = await Promise.all([startRedis(), startMongo()])
    later(() => Promise.all([redis.stop(), mongo.stop()]))
    later(killAll)
    const [secret, key] = [randomBytes(48).toString('base64url'), randomBytes(32)]
    const env = {
      PATH: process.env.PATH,
      ...{ HOST: '127.0.0.1', PORT: '0', OPS_PORT: '0', DRAIN_DELAY: '0s' },
      ...{ REDIS_URL: redis.url, MONGODB_URI: mongo.url, MONGODB_DATABASE: `chatbox_${randomUUID().slice(0, 8)}` },
      ...{ JWT_SECRET: secret, ENCRYPTION_KEY: key.toString('base64') },
      HASH_KEY: Buffer.from(defaultHashKey(key)).toString('base64'),
    }
    const migrate = async (...args: string[]) => {
      const command = runNode(MIGRATE, { env, args })
      const { code } = await command.exited
      return { code, output: command.output() }
    }

    const missing = await migrate('--check')
    expect(missing).toMatchObject({
      code: 1,
      output: expect.stringContaining('"index":"idx_sid_seq","fault":"missing"'),
    })

    const storage = runNode(MAIN, { env, waitMs: 180_000 })
    await storage.waitForOutput(/start-up complete/)
    const addressOf = async (part: string) => {
      const [, address = ''] = await storage.waitForOutput(new RegExp(`"part":"${part}","address":"([^"]+)"`))
      return address
    }
    const [ops, http] = [await addressOf('ops'), await addressOf('http')]
    const probe = async (name: string) => (await fetch(new URL(`/chat/${name}`, ops))).status
    const authorization = `Bearer ${await signToken({ secret, userId: 'ada', ttlMs: 600_000 })}`
    const list = async () => (await fetch(new URL('/chat/sessions', http), { headers: { authorization } })).status
    expect([await probe('readyz'), await probe('healthz'), await list()]).toEqual([503, 200, 503])
    expect(storage.output()).toContain('messages.idx_sid_seq')
    // Nothing of it has made them.
    expect((await migrate('--check')).code).toBe(1)

    expect((await migrate()).code).toBe(0)
    expect((await migrate('--check')).code).toBe(0)
    await expect.poll(() => probe('readyz'), patient).toBe(200)
    await expect.poll(list, patient).toBe(200)
    storage.kill('SIGTERM')
    expect(await storage.exited).toEqual({ code: 0, signal: null })
  })
})
