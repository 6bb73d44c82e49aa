import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { answerId, edgeId, type Job, type Jobs, requestId, sessionId, Unavailable, userId } from '@chatbox/core'
import { type RedisFabric, type RedisFabricOptions, redisFabric } from '@chatbox/redis'
import { temporaryFolder } from '@chatbox/testkit/folders'
import { available, startRedis, startRedisCluster, startRedisSentinel } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { follow } from './support/follower.ts'

const there = await available('redis')
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function fabricAt(url: string, more: Partial<RedisFabricOptions> = {}): Promise<RedisFabric> {
  const fabric = redisFabric({ realtimeUrl: url, queueUrl: url, clocks: { commandMs: 1_000, retryMs: 50 }, ...more })
  cleanups.push(() => fabric.close())
  return fabric
}

const event = (text: string) => ({
  header: { class: 'logged', type: 'message' } as const,
  body: new TextEncoder().encode(text),
})
const textOf = ({ body }: { body: Uint8Array }) => Buffer.from(body).toString()
const uid = userId('u1')

const JOB: Job = { sid: sessionId('s'), answerId: answerId('a'), n: 1 }

/** By connections of their own. */
async function expectJobsDone(jobs: Jobs): Promise<void> {
  const done: string[] = []
  await jobs.consume(async ({ answerId: id }) => void done.push(id), { concurrency: 1 })
  await jobs.enqueue(JOB)
  await expect.poll(() => done, { timeout: 10_000 }).toEqual([JOB.answerId])
}

/** Of this machine, for a day. */
async function certificate(): Promise<{ cert: string; key: string; ca: string }> {
  const folder = temporaryFolder('tls')
  cleanups.push(() => rm(folder, { recursive: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1', '-nodes']
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-keyout',
    key,
    '-out',
    cert,
  ]
  await promisify(execFile)('openssl', [...made, ...subject])
  return { cert, key, ca: await readFile(cert, 'utf8') }
}

describe.skipIf(!there)('a connection to Redis', () => {
  it('logs in as an ACL user who may do no more than is needed, and says so when it may not', async () => {
    const redis = await startRedis()
    cleanups.push(() => redis.stop())
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    cleanups.push(async () => admin.disconnect())
    // As docs/redis.md gives it.
    const rights = '~chatbox:* ~{chatbox}:* &chatbox:* &probe:* +@all -@dangerous +info'.split(' ')
    await admin.call('ACL', 'SETUSER', 'chat', 'on', '>secret', ...rights)
    const fabric = await fabricAt(`redis://chat:secret@127.0.0.1:${redis.port}`)
    await fabric.start()
    const follower = await follow(fabric.bus, uid, textOf)
    expect((await fabric.bus.append(uid, event('hello'), 1)).kind).toBe('appended')
    await expect.poll(() => follower.texts).toEqual(['hello'])
    expect(await fabric.registry.renew(edgeId('e'))).toBe('lost')
    expect(await fabric.ingest.now()).toBeGreaterThan(0)
    const stranger = await fabricAt(`redis://chat:wrong@127.0.0.1:${redis.port}`)
    await expect(stranger.start(500)).rejects.toBeInstanceOf(Unavailable)
    await expect(stranger.bus.append(uid, event('hello'), 1)).rejects.toBeInstanceOf(Unavailable)
  })

  it('says by a code why there is none', async () => {
    const redis = await startRedis()
    cleanups.push(() => redis.stop())
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    await admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>secret')
    admin.disconnect()
    const whyNot = async (url: string) => {
      const fabric = await fabricAt(url)
      const error = await fabric.start(500).catch((refused: unknown) => refused)
      expect(error).toBeInstanceOf(Unavailable)
      return String(error)
    }
    expect(await whyNot(`redis://default:wrong@127.0.0.1:${redis.port}`)).toContain('(WRONGPASS)')
    expect(await whyNot(redis.url)).toContain('(NOAUTH)')
    await redis.stop()
    expect(await whyNot(redis.url)).toContain('(ECONNREFUSED)')
  })

  it('says where a server throws away what has to stay', async () => {
    const redis = await startRedis()
    cleanups.push(() => redis.stop())
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    cleanups.push(async () => admin.disconnect())
    const toldUnder = async (policy: string, maxmemory: string) => {
      await admin.config('SET', 'maxmemory-policy', policy)
      await admin.config('SET', 'maxmemory', maxmemory)
      const told: string[] = []
      const fabric = await fabricAt(redis.url, { onEviction: (role, by) => told.push(`${role} ${by}`) })
      await fabric.start()
      // Replies come in order, so that what was asked at the start has been answered.
      await Promise.all([fabric.ping('realtime'), fabric.ping('queue')])
      await new Promise(setImmediate)
      return told.sort()
    }
    expect(await toldUnder('allkeys-lru', '100mb')).toEqual(['queue allkeys-lru', 'realtime allkeys-lru'])
    expect(await toldUnder('volatile-ttl', '100mb')).toEqual(['queue volatile-ttl'])
    expect(await toldUnder('noeviction', '100mb')).toEqual([])
    expect(await toldUnder('allkeys-lru', '0')).toEqual([])
  })

  it('speaks TLS to a server of a given authority, and to no other', async () => {
    const { cert, key, ca } = await certificate()
    const redis = await startRedis()
    cleanups.push(() => redis.stop())
    const tlsPort = redis.port + 1
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    cleanups.push(async () => admin.disconnect())
    const settings = ['tls-cert-file', cert, 'tls-key-file', key, 'tls-ca-cert-file', cert, 'tls-auth-clients', 'no']
    await admin.call('CONFIG', 'SET', ...settings, 'tls-port', tlsPort)
    const url = `rediss://127.0.0.1:${tlsPort}`
    const trusting = await fabricAt(url, { ca })
    await trusting.start()
    const follower = await follow(trusting.bus, uid, textOf)
    await trusting.bus.append(uid, event('hello'), 1)
    await expect.poll(() => follower.texts).toEqual(['hello'])
    await expectJobsDone(trusting.jobs)
    const wary = await fabricAt(url)
    await expect(wary.start(500)).rejects.toBeInstanceOf(Unavailable)
    await expect(wary.jobs.enqueue(JOB)).rejects.toBeInstanceOf(Unavailable)
  })

  it('speaks TLS to all nodes of a cluster', async () => {
    const { cert, key, ca } = await certificate()
    const cluster = await startRedisCluster({ tls: { cert, key } })
    cleanups.push(() => cluster.stop())
    const trusting = await fabricAt(cluster.url, { ca })
    await trusting.start()
    // Users on all three.
    for (const name of ['u1', 'u2', 'u3', 'u4', 'u5', 'u6']) {
      const follower = await follow(trusting.bus, userId(name), textOf)
      await trusting.bus.append(userId(name), event('hello'), 1)
      await expect.poll(() => follower.texts).toEqual(['hello'])
    }
    await expectJobsDone(trusting.jobs)
    for (const { port } of cluster.nodes) {
      const admin = new Redis({ host: '127.0.0.1', port })
      cleanups.push(async () => admin.disconnect())
      const clients = String(await admin.client('LIST'))
      // Nobody but this test speaks in the clear.
      expect(
        clients
          .split('\n')
          .filter((line) => /laddr=127\.0\.0\.1:/.test(line) && line.includes(`laddr=127.0.0.1:${port} `)),
      ).toHaveLength(1)
    }
    const wary = await fabricAt(cluster.url)
    await expect(wary.start(500)).rejects.toBeInstanceOf(Unavailable)
    await expect(wary.jobs.enqueue(JOB)).rejects.toBeInstanceOf(Unavailable)
  })

  it('says to sentinels who it is, where they ask, and to nobody else', async () => {
    const login = { username: 'watched', password: randomUUID() }
    const sentinel = await startRedisSentinel({ login })
    cleanups.push(() => sentinel.stop())
    const known = await fabricAt(sentinel.url, { sentinel: login })
    await known.start()
    await known.bus.append(uid, event('hello'), 1)
    await expectJobsDone(known.jobs)
    for (const other of [undefined, { password: login.password }, { ...login, password: 'another' }]) {
      const stranger = await fabricAt(sentinel.url, { sentinel: other })
      await expect(stranger.start(500)).rejects.toBeInstanceOf(Unavailable)
    }
  })

  it('has a prefix in front of every key and channel, where others share the Redis', async () => {
    const redis = await startRedis()
    cleanups.push(() => redis.stop())
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    cleanups.push(async () => admin.disconnect())
    const rights = '~one:* ~{one}:* &one:* &probe:* +@all -@dangerous +info'.split(' ')
    await admin.call('ACL', 'SETUSER', 'chat', 'on', '>secret', ...rights)
    const [one, two] = [
      await fabricAt(`redis://chat:secret@127.0.0.1:${redis.port}`, { prefix: 'one' }),
      await fabricAt(redis.url, { prefix: 'two' }),
    ]
    await Promise.all([one.start(), two.start()])
    const followers = [await follow(one.bus, uid, textOf), await follow(two.bus, uid, textOf)]
    await one.bus.append(uid, event('of one'), 1)
    await two.bus.append(uid, event('of two'), 1)
    await expect.poll(() => followers.map(({ texts }) => texts)).toEqual([['of one'], ['of two']])
    await expectJobsDone(one.jobs)
    expect(await one.registry.renew(edgeId('e'))).toBe('lost')
    expect(
      await one.ingest.append({
        partition: 1,
        packet: { header: { requestId: requestId('r'), kind: 'send' }, body: new Uint8Array(1) },
      }),
    ).toBe('taken')
    const keys = await admin.keys('*')
    expect(keys.filter((key) => !/^\{?(one|two)\}?:/.test(key))).toEqual([])
  })

  it('is made by and by where the server comes later', async () => {
    const redis = await startRedis()
    await redis.kill()
    const fabric = await fabricAt(redis.url)
    await expect(fabric.start(200)).rejects.toBeInstanceOf(Unavailable)
    const from = performance.now()
    await expect(fabric.bus.append(uid, event('early'), 1)).rejects.toBeInstanceOf(Unavailable)
    expect(performance.now() - from).toBeLessThan(500)
    const again = await startRedis({ port: redis.port, dir: redis.dir })
    cleanups.push(() => again.stop())
    await fabric.start()
    expect((await fabric.bus.append(uid, event('late'), 1)).kind).toBe('appended')
  })
})
