import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, bench } from './fixture.ts'
import { as, tokenFor } from './support/rest.ts'

const PAGE = 'https://www.example.com'
const SHOP = 'https://shop.example.com:8443'

/** Everything that a browser goes by. */
const GRANTS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
]

describe('pages of other origins (X10, security 26)', () => {
  let b: Bench
  let token: string

  beforeAll(async () => {
    b = await bench({ times: { sweepMs: 3_600_000 }, rest: { corsOrigins: [PAGE, SHOP] } })
    token = await tokenFor('alice')
  })
  afterAll(() => b.close())

  const call = (origin: string | undefined, headers: Record<string, string> = {}, url = '/chat/sessions') =>
    b.storage.http.inject({ url, headers: { ...(origin !== undefined && { origin }), ...headers } })
  const preflight = (origin: string | undefined, method = 'PATCH', url = '/chat/sessions/any') =>
    b.storage.http.inject({
      method: 'OPTIONS',
      url,
      headers: {
        ...(origin !== undefined && { origin }),
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type,idempotency-key',
      },
    })

  it.each([PAGE, SHOP])('%s may call, with credentials, and see what it needs to', async (origin) => {
    const response = await call(origin, { authorization: `Bearer ${token}` })
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'content-disposition, retry-after',
      vary: 'Origin',
    })
  })

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])(
    'they may %s, which is asked for once in 12 hours',
    async (method) => {
      const response = await preflight(PAGE, method)
      expect(response.statusCode).toBe(204)
      expect(response.body).toBe('')
      expect(response.headers).toMatchObject({
        'access-control-allow-origin': PAGE,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': 'authorization, content-type, idempotency-key',
        'access-control-max-age': '43200',
        vary: 'Origin',
      })
    },
  )

  it('they may read why they were refused', async () => {
    for (const [url, status] of [
      ['/chat/sessions', 401],
      [`/chat/shared/${'A'.repeat(43)}`, 404],
      ['/chat/nothing', 401],
    ] as const) {
      const response = await call(PAGE, {}, url)
      expect([url, response.statusCode]).toEqual([url, status])
      expect(response.headers['access-control-allow-origin']).toBe(PAGE)
    }
  })

  it.each([
    undefined,
    'null',
    '*',
    '',
    'http://www.example.com',
    'https://www.example.com:443',
    'https://www.example.com.evil.net',
    'https://evil-www.example.com',
    'https://sub.www.example.com',
    'https://example.com',
    'https://www.example.com/',
    'HTTPS://WWW.EXAMPLE.COM',
    'https://www.Example.com',
    'https://shop.example.com',
    'https://shop.example.com:8444',
    `${PAGE}, ${SHOP}`,
    `${PAGE} ${SHOP}`,
  ])('%s may not, whatever it asks for', async (origin) => {
    for (const response of [
      await call(origin),
      await call(origin, { authorization: `Bearer ${token}` }),
      await preflight(origin),
      await preflight(origin, 'GET', '/chat/openapi.json'),
    ]) {
      for (const grant of GRANTS) expect(response.headers).not.toHaveProperty(grant)
      expect(response.headers.vary).toBe('Origin')
    }
    expect((await preflight(origin)).statusCode).toBe(401)
  })

  it.each(['/chat/sessions/%zz', '/%'])('cannot tell who is allowed from %s, which is no path', async (url) => {
    const response = await call(PAGE, { authorization: `Bearer ${token}` }, url)
    expect(response.statusCode).toBe(404)
    for (const grant of GRANTS) expect(response.headers).not.toHaveProperty(grant)
    expect(response.headers).toMatchObject({ vary: 'Origin', 'x-content-type-options': 'nosniff' })
  })

  it('none may where none is configured', async () => {
    const closed = await bench({ times: { sweepMs: 3_600_000 } })
    const response = await (await as(closed, 'alice'))('GET', '/chat/sessions', { headers: { origin: PAGE } })
    expect(response.statusCode).toBe(200)
    for (const grant of GRANTS) expect(response.headers).not.toHaveProperty(grant)
    expect(response.headers.vary).toBe('Origin')
    await closed.close()
  })
})
