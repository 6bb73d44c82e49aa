import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { errorBody } from '@chatbox/protocol'
import { signToken } from '@chatbox/runtime'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createChanges } from '../src/http/changes.ts'
import { disabledUsers } from '../src/http/disabled.ts'
import type { Route } from '../src/http/route.ts'
import { routeTable } from '../src/http/routes/index.ts'
import { createHttp } from '../src/http/server.ts'
import { type Bench, bench, secret } from './fixture.ts'
import { type Ask, as, conversation, refusedWith, tokenFor } from './support/rest.ts'

const times = { sweepMs: 3_600_000, mirrorLookMs: 2_000, requestMs: 5_000 }

let b: Bench
const parts = () => ({ changes: createChanges(b.deps, times), disabled: disabledUsers(b.deps, times) })

/** A good call of each route that needs a body; a route that is missing here fails below. */
const BODIES: Readonly<Record<string, Record<string, unknown>>> = {
  changeSession: { name: 'Another name', modelId: 'other' },
  markRead: { seq: 1 },
  rateAnswer: { rating: 'up', comment: 'Good' },
  shareSession: { expiresInSeconds: 3_600 },
}

/** The table needs no service that runs to be looked at. */
const table: readonly Route[] = routeTable({ requestSecret: 'x' } as never)
const users = table.filter((line) => line.access === 'user')
const changing = table.filter((line) => line.method !== 'GET')
const inSessions = table.filter((line) => line.path.includes(':sid'))
const named = (lines: readonly Route[]) => lines.map((line) => [`${line.method} ${line.path}`, line] as const)

interface Good {
  readonly owner: string
  readonly url: string
  readonly sid: string
  readonly ask: Ask
  readonly body: Record<string, unknown> | undefined
}

/** Everything that the route needs to be there, of a user who has nothing else. */
async function goodCall(line: Route): Promise<Good> {
  const owner = `owner-${randomUUID()}`
  const sid = await conversation(b, owner, randomUUID())
  const ask = await as(b, owner)
  const shared = await ask('POST', `/chat/sessions/${sid}/share`)
  const values: Record<string, string> = { sid, seq: '2', token: shared.json().token }
  const url = line.path.replace(/:(\w+)/g, (_all, name: string) => values[name] ?? `no-value-for-${name}`)
  return { owner, sid, url, ask: line.access === 'user' ? ask : await as(b), body: BODIES[line.name] }
}

const standing = new Map<Route, Promise<Good>>()

/** One for all calls that must be refused, and so change nothing. */
function standingCall(line: Route): Promise<Good> {
  const known = standing.get(line) ?? goodCall(line)
  standing.set(line, known)
  return known
}

const bodyOf = (good: Good) => (good.body === undefined ? {} : { body: good.body })

const OPERATOR = { $gt: '' }

describe('every route', () => {
  beforeAll(async () => {
    b = await bench({ times })
  })
  afterAll(() => b.close())

  it.each(named(table))('%s answers a good call as it says', async (_name, line) => {
    const good = await goodCall(line)
    const response = await good.ask(line.method, good.url, bodyOf(good))
    expect([line.name, response.statusCode]).toEqual([line.name, line.answer.status])
    const [type] = Object.keys(line.answer.content)
    if (type === undefined) return expect(response.body).toBe('')
    expect(response.headers['content-type']).toBe(`${type}; charset=utf-8`)
    line.answer.content[type]?.parse(response.json())
  })

  it.each(named(users))('%s needs a good token', async (_name, line) => {
    const good = await standingCall(line)
    const nobody = await as(b)
    const before = await b.conversations.session(good.sid as never)
    const bad: readonly (readonly [string, number, string])[] = [
      ['', 401, 'unauthorized'],
      ['Bearer', 401, 'unauthorized'],
      [`Basic ${await tokenFor(good.owner)}`, 401, 'unauthorized'],
      [`Bearer ${(await tokenFor(good.owner)).slice(0, -2)}xx`, 401, 'unauthorized'],
      [
        `Bearer ${await signToken({ secret: randomBytes(32).toString('hex'), userId: good.owner, ttlMs: 60_000 })}`,
        401,
        'unauthorized',
      ],
      [`Bearer ${unsigned(good.owner)}`, 401, 'unauthorized'],
      [
        `Bearer ${await signToken({ secret, userId: good.owner, ttlMs: 1_000, now: () => Date.now() - 60_000 })}`,
        401,
        'token_expired',
      ],
    ]
    for (const [authorization, ...refusal] of bad) {
      const response = await nobody(line.method, good.url, { ...bodyOf(good), headers: { authorization } })
      expect([authorization, ...refusedWith(response)]).toEqual([authorization, ...refusal])
    }
    const inUrl = `${good.url}?token=${await tokenFor(good.owner)}`
    expect(refusedWith(await nobody(line.method, inUrl, bodyOf(good)))).toEqual([401, 'unauthorized'])
    expect(await b.conversations.session(good.sid as never)).toEqual(before)
  })

  it.each(named(inSessions))("%s answers somebody else's session as an unknown one", async (_name, line) => {
    const good = await standingCall(line)
    const stranger = await as(b, `stranger-${randomUUID()}`)
    const before = [await b.conversations.session(good.sid as never), await b.conversations.turn(good.sid as never, 1)]
    const foreign = await stranger(line.method, good.url, bodyOf(good))
    const unknown = await stranger(line.method, good.url.replace(good.sid, randomUUID()), bodyOf(good))
    expect(refusedWith(foreign)).toEqual([404, 'not_found'])
    expect({ ...foreign.json().error, requestId: '' }).toEqual({ ...unknown.json().error, requestId: '' })
    expect([
      await b.conversations.session(good.sid as never),
      await b.conversations.turn(good.sid as never, 1),
    ]).toEqual(before)
  })

  it.each(named(table))('%s takes an operator nowhere for an id, or for anything else', async (_name, line) => {
    const good = await standingCall(line)
    for (const [name] of line.path.matchAll(/:(\w+)/g)) {
      const encoded = encodeURIComponent(JSON.stringify(OPERATOR))
      const at = line.path.split('/').indexOf(name)
      const url = good.url.split('/').with(at, encoded).join('/')
      expect([url, ...refusedWith(await good.ask(line.method, url, bodyOf(good)))]).toEqual([url, 404, 'not_found'])
    }
    for (const name of ['sid', 'uid', 'cursor', 'limit', 'before', 'after', 'format', 'token']) {
      for (const query of [`${name}[$gt]=`, `${name}=${encodeURIComponent('{"$gt":""}')}`]) {
        const response = await good.ask(line.method, `${good.url}?${query}`, bodyOf(good))
        expect([query, ...refusedWith(response)]).toEqual([query, 400, 'invalid_frame'])
      }
    }
    for (const field of Object.keys(good.body ?? {})) {
      const response = await good.ask(line.method, good.url, { body: { ...good.body, [field]: OPERATOR } })
      expect([field, ...refusedWith(response)]).toEqual([field, 400, 'invalid_frame'])
      expect(response.json().error.field).toBe(field)
    }
  })

  it.each(named(table))('%s refuses what it does not know', async (_name, line) => {
    const good = await standingCall(line)
    const query = await good.ask(line.method, `${good.url}?role=admin`, bodyOf(good))
    expect(refusedWith(query)).toEqual([400, 'invalid_frame'])
    if (line.method === 'GET') return
    for (const extra of [{ role: 'admin' }, { uid: 'somebody' }, { userId: 'somebody' }, { rev: 0 }]) {
      const body = await good.ask(line.method, good.url, { body: { ...good.body, ...extra } })
      expect(refusedWith(body)).toEqual([400, 'invalid_frame'])
    }
    for (const body of [[], [good.body ?? {}], 'text', 1]) {
      const headers = { 'content-type': 'application/json' }
      const response = await good.ask(line.method, good.url, { body: JSON.stringify(body), headers })
      expect([body, ...refusedWith(response)]).toEqual([body, 400, 'invalid_frame'])
    }
  })

  it.each(named(changing))('%s refuses a body that is too large, no JSON, or of another type', async (_name, line) => {
    const good = await standingCall(line)
    const send = (body: string | Buffer, type = 'application/json') =>
      good.ask(line.method, good.url, { body, headers: { 'content-type': type } })
    const large = JSON.stringify({ ...good.body, name: 'x'.repeat(65_536) })
    expect(refusedWith(await send(large))).toEqual([413, 'too_large'])
    for (const json of ['{', '{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{"admin":true}}}']) {
      expect([json, ...refusedWith(await send(json))]).toEqual([json, 400, 'invalid_json'])
    }
    const latin1 = Buffer.from('{"name":"\xe9t\xe9"}', 'latin1')
    expect(refusedWith(await send(latin1))).toEqual([400, 'invalid_json'])
    const form = JSON.stringify(good.body ?? {})
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const response = await send(form, type)
      expect([type, ...refusedWith(response)]).toEqual([type, 415, 'invalid_frame'])
      expect(response.json().error.field).toBe('content-type')
    }
    for (const charset of ['utf-16', 'UTF-16LE', '"latin1"', 'utf-8x', '']) {
      const type = `application/json; charset=${charset}`
      const response = await send(form, type)
      expect([type, ...refusedWith(response)]).toEqual([type, 415, 'invalid_frame'])
      expect(response.json().error.field).toBe('content-type')
    }
    // Refused for what it says, and so not for its charset.
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8']) {
      expect(refusedWith(await send('{', `application/json;charset=${charset}`))).toEqual([400, 'invalid_json'])
    }
    const nested = `${'{"name":'.repeat(7_000)}1${'}'.repeat(7_000)}`
    expect(refusedWith(await send(nested))[0]).toBe(400)
  })

  it.each(named(users))('%s refuses a key that is no key', async (_name, line) => {
    const good = await standingCall(line)
    for (const key of ['', 'x'.repeat(129), 'a b', 'é']) {
      const response = await good.ask(line.method, good.url, { ...bodyOf(good), headers: { 'idempotency-key': key } })
      expect(refusedWith(response)).toEqual([400, 'invalid_frame'])
    }
  })

  it.each(named(table))(
    '%s shows a code and a request id of a fault of ours, and the rest to the log (X4)',
    async (_name, line) => {
      const good = await standingCall(line)
      const faulty = table.map((each) => ({ ...each, handle: () => Promise.reject(new Error('canary in a handler')) }))
      const { changes, disabled } = parts()
      const end = await disabled.start()
      const http = createHttp(b.deps, { changes, disabled, table: faulty })
      const ask = await as({ storage: { ...b.storage, http } }, line.access === 'user' ? good.owner : undefined)
      const response = await ask(line.method, good.url, bodyOf(good))
      const { error } = errorBody.parse(response.json())
      expect([response.statusCode, error.code, error.retryable]).toEqual([500, 'internal', true])
      expect(response.body + JSON.stringify(response.headers)).not.toContain('canary')
      const logged = b.log.find((entry) => entry.includes(error.requestId))
      expect(logged).toContain('canary in a handler')
      await http.close()
      await end()
    },
  )

  it.each(named(table))('%s lets nobody keep, frame or index what it says', async (_name, line) => {
    const good = await goodCall(line)
    const nobody = await as(b)
    for (const response of [
      await good.ask(line.method, good.url, bodyOf(good)),
      await nobody(line.method, `${good.url}?role=admin`),
    ]) {
      expect(response.headers).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-robots-tag': 'noindex',
      })
    }
  })

  it('counts against a budget, and says when to come back (X6)', async () => {
    const limits = { rest: { points: 2, perMs: 60_000 }, shared: { points: 2, perMs: 60_000 } }
    const few = await bench({ times, limits })
    for (const [name, url] of [
      ['alice', '/chat/sessions'],
      [undefined, '/chat/openapi.json'],
    ] as const) {
      const ask = await as(few, name)
      expect((await ask('GET', url)).statusCode).toBe(200)
      expect((await ask('GET', url)).statusCode).toBe(200)
      const response = await ask('GET', url)
      expect(refusedWith(response)).toEqual([429, 'rate_limited'])
      expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
      expect(few.log.filter((line) => line.includes('a rate limit was reached'))).not.toEqual([])
    }
    expect((await (await as(few, 'bob'))('GET', '/chat/sessions')).statusCode).toBe(200)
    await few.close()
  })
})

describe('the table', () => {
  beforeAll(async () => {
    b = await bench({ times })
  })
  afterAll(() => b.close())

  it('is all there is: another route keeps the service from starting', async () => {
    const http = createHttp(b.deps, parts())
    http.register(async (inner) => {
      inner.get('/chat/beside', async () => 'hello')
    })
    await expect(http.ready()).rejects.toThrow('/chat/beside is not in the table')
  })

  it('asks for no token on these routes, and on no other', () => {
    const anybody = table.filter((line) => line.access === 'anybody').map(({ method, path }) => `${method} ${path}`)
    expect(anybody).toEqual(['GET /chat/shared/:token', 'GET /chat/shared/:token/messages', 'GET /chat/openapi.json'])
  })

  it('is what the description at /chat/openapi.json says, in valid OpenAPI 3.1', async () => {
    const response = await (await as(b))('GET', '/chat/openapi.json')
    const document = response.json()
    const validator = new Validator()
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
    const described = Object.entries<Record<string, { operationId: string }>>(document.paths).flatMap(
      ([path, operations]) =>
        Object.entries(operations).map(([method, { operationId }]) => `${method} ${path} ${operationId}`),
    )
    const lines = table.map(
      ({ method, path, name }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')} ${name}`,
    )
    expect(described.sort()).toEqual(lines.sort())
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length)
  })

  it('is what docs/rest.md lists', () => {
    const page = readFileSync(new URL('../../../docs/rest.md', import.meta.url), 'utf8')
    const rows = page.split('\n').flatMap((line) => /^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`?]+)/.exec(line)?.[1] ?? [])
    expect(rows.sort()).toEqual(table.map(({ method, path }) => `${method} ${path}`).sort())
  })

  it('has no other methods, and no other paths', async () => {
    const ask = await as(b, 'alice')
    for (const [method, url] of [
      ['PUT', '/chat/sessions'],
      ['DELETE', '/chat/sessions'],
      ['GET', '/chat/me'],
      ['GET', '/chat/nothing'],
      ['GET', '/'],
    ] as const) {
      expect([url, ...refusedWith(await ask(method, url))]).toEqual([url, 404, 'not_found'])
    }
    const head = await b.storage.http.inject({ method: 'HEAD', url: '/chat/openapi.json' })
    expect(head.statusCode).toBe(401)
  })
})

/** Signed by nobody, and saying so. */
function unsigned(userId: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none', typ: 'JWT' })}.${part({ sub: userId, exp: Math.floor(Date.now() / 1_000) + 600 })}.`
}
