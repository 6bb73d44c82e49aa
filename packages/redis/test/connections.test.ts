import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { edgeId, Unavailable, userId } from '@chatbox/core'
import { type RedisFabric, type RedisFabricOptions, redisFabric } from '@chatbox/redis'
import { temporaryFolder } from '@chatbox/testkit/folders'
import { available, startRedis } from '@chatbox/testkit/servers'
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

  it('speaks TLS to a server of a given authority, and to no other', async () => {
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
    const redis = await startRedis()
    cleanups.push(() => redis.stop())
    const tlsPort = redis.port + 1
    const admin = new Redis({ host: '127.0.0.1', port: redis.port })
    cleanups.push(async () => admin.disconnect())
    const settings = ['tls-cert-file', cert, 'tls-key-file', key, 'tls-ca-cert-file', cert, 'tls-auth-clients', 'no']
    await admin.call('CONFIG', 'SET', ...settings, 'tls-port', tlsPort)
    const url = `rediss://127.0.0.1:${tlsPort}`
    const trusting = await fabricAt(url, { ca: await readFile(cert, 'utf8') })
    await trusting.start()
    const follower = await follow(trusting.bus, uid, textOf)
    await trusting.bus.append(uid, event('hello'), 1)
    await expect.poll(() => follower.texts).toEqual(['hello'])
    const wary = await fabricAt(url)
    await expect(wary.start(500)).rejects.toBeInstanceOf(Unavailable)
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
