import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { available, chromiumLaunch, startMongo, startRedis } from '@chatbox/testkit/servers'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { chromium } from 'playwright-core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

/** A server that somebody else runs has no folder here and can't be killed. */
const ownRedis = process.env.REDIS_TEST_URL === undefined
const ownMongo = process.env.MONGODB_TEST_URI === undefined

async function redisClient(url: string): Promise<Redis> {
  const client = new Redis(url, { retryStrategy: null, lazyConnect: true })
  onTestFinished(() => client.disconnect())
  // A connection that is cut says so here; what it was used for rejects as well.
  client.on('error', () => undefined)
  await client.connect()
  return client
}

async function mongoClient(url: string): Promise<MongoClient> {
  const client = await MongoClient.connect(url, { serverSelectionTimeoutMS: 10_000 })
  onTestFinished(() => client.close())
  return client
}

describe.skipIf(!(await available('redis')))('Redis for tests', () => {
  test('keeps what is written', async () => {
    const redis = await startRedis()
    onTestFinished(redis.stop)
    const client = await redisClient(redis.url)
    await client.set('chatbox-test:greeting', 'hello')
    expect(await client.getdel('chatbox-test:greeting')).toBe('hello')
  })

  test.skipIf(!ownRedis)('is one server per start, each with a folder that is gone when it is stopped', async () => {
    const [one, other] = await Promise.all([startRedis(), startRedis()])
    expect(one.port).not.toBe(other.port)
    await (await redisClient(one.url)).set('greeting', 'hello')
    expect(await (await redisClient(other.url)).get('greeting')).toBeNull()
    expect(existsSync(one.dir)).toBe(true)
    await Promise.all([one.stop(), other.stop(), one.stop()])
    expect(existsSync(one.dir)).toBe(false)
    await expect(redisClient(one.url)).rejects.toThrow()
  })

  test.skipIf(!ownRedis)('comes back on its port with what it persisted after it was killed', async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'always']
    const first = await startRedis({ args })
    await (await redisClient(first.url)).set('greeting', 'hello')
    await first.kill()
    const second = await startRedis({ args, port: first.port, dir: first.dir })
    onTestFinished(second.stop)
    expect(await (await redisClient(first.url)).get('greeting')).toBe('hello')
  })
})

describe.skipIf(!(await available('mongo')))('MongoDB for tests', () => {
  test('keeps what is written, and its unique indexes hold', async () => {
    const mongo = await startMongo()
    onTestFinished(mongo.stop)
    const client = await mongoClient(mongo.url)
    const greetings = client.db('chatbox_servers_test').collection<{ word: string }>('greetings')
    await greetings.createIndex({ word: 1 }, { unique: true })
    await greetings.insertOne({ word: 'hello' })
    expect(await greetings.findOne({ word: 'hello' })).toMatchObject({ word: 'hello' })
    await expect(greetings.insertOne({ word: 'hello' })).rejects.toMatchObject({ code: 11000 })
    await client.db('chatbox_servers_test').dropDatabase()
  })

  test.skipIf(!ownMongo)('leaves nothing in the temp folder, killed and started again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chatbox-servers-test-'))
    vi.stubEnv('TMPDIR', folder)
    onTestFinished(() => {
      vi.unstubAllEnvs()
      rmSync(folder, { recursive: true })
    })
    const first = await startMongo()
    await first.kill()
    const second = await startMongo({ port: first.port, dir: first.dir })
    await second.stop()
    expect(readdirSync(folder)).toEqual([])
  })

  test.skipIf(!ownMongo)('comes back on its port with what it was told after it was killed', async () => {
    const first = await startMongo()
    const writer = await mongoClient(first.url)
    await writer
      .db('test')
      .collection('greetings')
      .insertOne({ word: 'hello' }, { writeConcern: { w: 1, j: true } })
    await first.kill()
    const second = await startMongo({ port: first.port, dir: first.dir })
    const reader = await mongoClient(second.url)
    expect(await reader.db('test').collection('greetings').findOne({})).toMatchObject({ word: 'hello' })
    await second.stop()
    expect(existsSync(first.dir)).toBe(false)
  })
})

describe.skipIf(!(await available('chromium')))('Chromium for tests', () => {
  test('opens a page and runs its script', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<h1></h1><script>document.querySelector("h1").textContent = "hello"</script>')
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const browser = await chromium.launch(await chromiumLaunch())
    onTestFinished(() => browser.close())
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    expect(await page.textContent('h1')).toBe('hello')
  })
})
