import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { chromiumFinder } from '../src/servers/chromium.ts'
import { freePort, onFreePort } from '../src/servers/lib/port.ts'
import { ServerFailed, startServer } from '../src/servers/lib/server-process.ts'
import { mongoFinder } from '../src/servers/mongo.ts'
import { mongodDownloads } from '../src/servers/mongod-download.ts'
import { redisFinder } from '../src/servers/redis.ts'
import { foreignServer } from '../src/servers/running.ts'
import { available, FOUND_VARIABLE } from '../src/servers/sources.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chatbox-servers-test-'))
  vi.stubEnv('PATH', folder)
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
  for (const name of ['REDIS_TEST_URL', 'MONGODB_TEST_URI', 'CHROME_PATH', FOUND_VARIABLE]) vi.stubEnv(name, undefined)
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function program(name: string, script = ''): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

test('an address in the environment goes before anything that is installed', async () => {
  program('redis-server')
  program('mongod')
  program('chromium')
  vi.stubEnv('REDIS_TEST_URL', 'redis://elsewhere')
  vi.stubEnv('MONGODB_TEST_URI', 'mongodb://elsewhere')
  vi.stubEnv('CHROME_PATH', program('my-browser'))
  expect(await redisFinder.look()).toEqual({ kind: 'url', url: 'redis://elsewhere' })
  expect(await mongoFinder.look()).toEqual({ kind: 'url', url: 'mongodb://elsewhere' })
  expect(await chromiumFinder.look()).toEqual({ kind: 'program', path: join(folder, 'my-browser') })
})

test('a CHROME_PATH that names no program is told, not passed over', async () => {
  vi.stubEnv('CHROME_PATH', '/nowhere/chrome')
  await expect(chromiumFinder.look()).rejects.toThrow('CHROME_PATH is /nowhere/chrome')
})

test('programs are found on PATH', async () => {
  const [redis, mongod, chrome] = [program('redis-server'), program('mongod'), program('google-chrome')]
  expect(await redisFinder.look()).toEqual({ kind: 'program', path: redis })
  expect(await mongoFinder.look()).toEqual({ kind: 'mongod', path: mongod })
  expect(await chromiumFinder.look()).toEqual({ kind: 'program', path: chrome })
})

test('a mongod that was downloaded earlier is found in the cache', async () => {
  const path = program('cache/chatbox-tests/mongod/mongod-x64-debian-8.0.13')
  expect(await mongoFinder.look()).toEqual({ kind: 'mongod', path })
})

test("where MongoDB's downloads can be reached, mongod is downloaded once and found from then on", async () => {
  const real = { env: { PATH: '/usr/bin:/bin:/usr/local/bin' }, cwd: folder }
  program('archive/mongodb/bin/mongod')
  const archive = execFileSync('tar', ['-czf', '-', '-C', 'archive', '.'], real)
  const names = ['-subj', '/CN=127.0.0.1', '-keyout', 'key.pem', '-out', 'cert.pem']
  const making = ['req', '-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', ...names]
  execFileSync('openssl', making, { ...real, stdio: 'ignore' })
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => readFileSync(join(folder, name)))
  const asked: string[] = []
  const mirror = createHttpsServer({ key, cert }, (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const body = request.url?.endsWith('.md5') ? createHash('md5').update(archive).digest('hex') : archive
    response.setHeader('content-length', body.length)
    response.end(request.method === 'HEAD' ? undefined : body)
  }).listen(0, '127.0.0.1')
  onTestFinished(() => mirror.closeAllConnections())
  onTestFinished(() => void mirror.close())
  await once(mirror, 'listening')
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  vi.spyOn(process, 'emitWarning').mockReturnValue()
  vi.spyOn(console, 'log').mockReturnValue()
  vi.stubEnv('MONGOMS_DOWNLOAD_MIRROR', `https://127.0.0.1:${(mirror.address() as AddressInfo).port}`)

  expect(await mongoFinder.look()).toBeUndefined()
  const setUp = await mongoFinder.setUp()
  expect(setUp?.what).toBe('downloading mongod')
  const made = await setUp?.work()
  expect(made).toMatchObject({ kind: 'mongod', path: expect.stringContaining(folder) })
  expect(await mongoFinder.look()).toEqual(made)
  expect(asked[0]).toMatch(/^HEAD .*mongodb.*8\.0/)
  expect(asked.filter((line) => /^GET .*\.tgz$/.test(line))).toHaveLength(1)
})

test("where MongoDB's downloads cannot be reached, that is known at once", async () => {
  vi.stubEnv('MONGOMS_DOWNLOAD_MIRROR', `https://127.0.0.1:${await freePort()}`)
  expect(await mongodDownloads()).toBe(false)
})

test('what npm test found is taken as it is', async () => {
  vi.stubEnv(
    FOUND_VARIABLE,
    JSON.stringify({ redis: { kind: 'url', url: 'redis://found' }, mongo: null, chromium: null }),
  )
  expect(await available('redis')).toBe(true)
})

test('what is missing is told loudly, and under CI it is a failure', async () => {
  vi.stubEnv(FOUND_VARIABLE, JSON.stringify({ redis: null, mongo: null, chromium: null }))
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  vi.stubEnv('CI', 'false')
  expect(await available('redis')).toBe(false)
  expect(warned).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/SKIPPED.*install redis-server 7/))
  vi.stubEnv('CI', 'true')
  await expect(available('redis')).rejects.toThrow('install redis-server 7')
})

test('a server that ends before it is ready fails with what it printed', async () => {
  const path = program('broken', 'echo "bad setting in line 3" >&2; exit 4')
  const start = startServer({ program: path, args: [], ready: /ready/ })
  await expect(start).rejects.toThrow(/ended \(4\) before it was ready\n.*bad setting in line 3/)
})

test('a program that is not there fails with its name', async () => {
  const start = startServer({ program: join(folder, 'absent'), args: [], ready: /ready/ })
  await expect(start).rejects.toThrow(/absent .*could not be started/)
})

test('a server whose port was taken meanwhile is started on another one', async () => {
  const ports: number[] = []
  const result = await onFreePort(async (port) => {
    ports.push(port)
    if (ports.length < 3) throw new ServerFailed('bind: Address already in use')
    return port
  })
  expect(result).toBe(ports[2])
  await expect(onFreePort(() => Promise.reject(new ServerFailed('out of memory')))).rejects.toThrow('out of memory')
})

test('a free port can be listened on', async () => {
  const server = createServer().listen(await freePort(), '127.0.0.1')
  await once(server, 'listening')
  server.close()
})

test('a server and its folder are gone once the process that started it is, even by SIGKILL', async () => {
  vi.unstubAllEnvs()
  const data = join(folder, 'data')
  mkdirSync(data)
  const [script, module] = ['./lib/owns-a-server.mjs', '../src/servers/lib/server-process.ts'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  const owner = spawn(process.execPath, [String(script), String(module), data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void owner.kill('SIGKILL'))
  const [said] = await once(owner.stdout, 'data')
  const pid = Number(said)
  expect(runs(pid)).toBe(true)
  owner.kill('SIGKILL')
  await vi.waitUntil(() => !runs(pid) && !existsSync(data), { timeout: 10_000 })
})

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    // No such process.
    return false
  }
}

test("somebody else's server is neither stopped nor killed", async () => {
  const server = foreignServer(
    'mongodb://user@one.example:27018,two.example:27019/?tls=true',
    27017,
    'MONGODB_TEST_URI',
  )
  expect(server.port).toBe(27018)
  expect(foreignServer('redis://cache.example', 6379, 'REDIS_TEST_URL').port).toBe(6379)
  await server.stop()
  await expect(server.kill()).rejects.toThrow('MONGODB_TEST_URI names a server that is not for tests to kill')
})
