import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { killAll, type RunningProcess, runNode } from '@chatbox/testkit/process'
import { available, type RunningServer, startRedis } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const EDGE = fileURLToPath(new URL('../../../edge/dist/main.js', import.meta.url))
const there = await available('redis')

const secret = () => randomBytes(32).toString('base64')
const [k1, k2, other] = [secret(), secret(), secret()]
const hashKey = secret()
const both = { ENCRYPTION_KEYS: `k2:${k2},k1:${k1}` }
const STRANGE = /"fault":"([^"]+)"/

describe.skipIf(!there)('processes over one Redis', { timeout: 60_000 }, () => {
  let redis: RunningServer
  let admin: Redis
  beforeAll(async () => {
    redis = await startRedis()
    admin = new Redis({ host: '127.0.0.1', port: redis.port })
  })
  afterEach(async () => {
    await killAll()
    await admin.flushall()
  })
  afterAll(async () => {
    admin?.disconnect()
    await redis?.stop()
  })

  const start = (env: NodeJS.ProcessEnv) =>
    runNode(EDGE, {
      waitMs: 40_000,
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: '0',
        OPS_PORT: '0',
        REDIS_URL: redis.url,
        JWT_SECRET: secret(),
        HASH_KEY: hashKey,
        ...('ENCRYPTION_KEYS' in env ? {} : { ENCRYPTION_KEY: k1 }),
        PUBLIC_URL: 'https://chat.example.com',
        CLOCK_SCALE: '0.1',
        DRAIN_DELAY: '0s',
        ...env,
      },
    })
  const readiness = async (edge: RunningProcess): Promise<{ status: string; checks?: Record<string, string> }> => {
    const [, ops = ''] = await edge.waitForOutput(/"part":"ops","address":"([^"]+)"/)
    return (await (await fetch(`${ops}/chat/readyz`)).json()) as { status: string; checks?: Record<string, string> }
  }
  async function startsWell(env: NodeJS.ProcessEnv): Promise<RunningProcess> {
    const edge = start(env)
    await edge.waitForOutput(/start-up complete/)
    expect((await readiness(edge)).checks).toMatchObject({ keys: 'ok' })
    return edge
  }
  async function isTold(env: NodeJS.ProcessEnv, fault: string): Promise<RunningProcess> {
    const edge = start(env)
    const [, told] = await edge.waitForOutput(STRANGE)
    expect(told).toBe(fault)
    expect(await readiness(edge)).toEqual({ status: 'starting' })
    expect(edge.output()).not.toMatch(/start-up complete/)
    return edge
  }
  const end = async (edge: RunningProcess) => {
    edge.kill('SIGTERM')
    return (await edge.exited).code
  }

  it('do not become ready with keys that are not those of the others, say which, and can be stopped (R28)', async () => {
    await startsWell({})
    const strangers = await Promise.all([
      isTold({ HASH_KEY: other }, 'HASH_KEY is not the one of the other processes.'),
      isTold(
        { ENCRYPTION_KEY: other },
        'The key k1 of ENCRYPTION_KEY is not the one that other processes have under this id.',
      ),
      isTold(
        { ENCRYPTION_KEYS: `k2:${k2}` },
        'Other processes seal by a key k1, which is not in ENCRYPTION_KEYS here.',
      ),
    ])
    expect(await Promise.all(strangers.map(end))).toEqual([0, 0, 0])
  })

  it('become ready when those with other keys have ended', async () => {
    const before = await startsWell({})
    const after = await isTold({ HASH_KEY: other }, 'HASH_KEY is not the one of the other processes.')
    expect(await end(before)).toBe(0)
    await after.waitForOutput(/start-up complete/)
    expect((await readiness(after)).checks).toMatchObject({ keys: 'ok' })
  })

  it('are ready at each step of a rotation', async () => {
    await startsWell({})
    await startsWell({ ...both, ENCRYPTION_KEY_CURRENT: 'k1' })
    await startsWell(both)
    await startsWell({ ...both, ENCRYPTION_KEY_CURRENT: 'k1' })
  })

  it('stay ready whatever somebody says who comes later, and say so', async () => {
    const edge = await startsWell({})
    await startsWell(both)
    const [, fault] = await edge.waitForOutput(STRANGE)
    expect(fault).toBe('Other processes seal by a key k2, which is not in ENCRYPTION_KEY here.')
    expect((await readiness(edge)).checks).toMatchObject({ keys: 'ok' })
  })

  it('agree again in a Redis that came back empty, and not with a stranger who waits', async () => {
    await startsWell({})
    const stranger = await isTold({ HASH_KEY: other }, 'HASH_KEY is not the one of the other processes.')
    const claims = async () => (await admin.zrange('chatbox:{claims}', '0', '-1', 'WITHSCORES')).join()
    // Right after it has claimed again, so that the stranger is the next to look.
    const before = await claims()
    await expect.poll(claims, { timeout: 20_000, interval: 5 }).not.toBe(before)
    await admin.flushall()
    await expect.poll(() => admin.zcard('chatbox:{claims}'), { timeout: 20_000 }).toBe(2)
    await startsWell({})
    expect(await readiness(stranger)).toEqual({ status: 'starting' })
  })

  it('tell nothing of the keys in Redis', async () => {
    await startsWell({})
    const claims = await admin.zrange('chatbox:{claims}', '0', '-1')
    expect(claims.sort()).toEqual([
      expect.stringMatching(/^hash:[\w-]{22}$/),
      expect.stringMatching(/^key:k1:[\w-]{22}$/),
    ])
    for (const key of [k1, hashKey]) {
      const text = Buffer.from(key, 'base64').toString('base64url')
      expect(claims.join()).not.toContain(text.slice(0, 8))
    }
  })
})
