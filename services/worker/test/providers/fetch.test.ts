import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { inspect } from 'node:util'
import { ProviderFault } from '@chatbox/worker'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createUpstreams, type UpstreamsOptions } from '../../src/providers/upstream/fetch.ts'

const CANARY = 'sk-canary-0123456789'
const ASK: RequestInit = {
  method: 'POST',
  headers: { authorization: `Bearer ${CANARY}`, 'content-type': 'application/json' },
  body: '{"q":1}',
}

async function server(answer: RequestListener = (_, response) => void response.end('hello')) {
  const requests: IncomingMessage[] = []
  let connections = 0
  const http = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  http.on('connection', () => {
    connections += 1
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  const { port } = http.address() as AddressInfo
  return { requests, port, url: `http://127.0.0.1:${port}`, connections: () => connections }
}

function upstreams(options: UpstreamsOptions = {}) {
  const all = createUpstreams(options)
  onTestFinished(() => all.close())
  return all
}

/** Names lead to these addresses, the first list at the first look. */
function names(...answers: (readonly string[])[]) {
  const asked: string[] = []
  const lookup: LookupFunction = (hostname, options, callback) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? []
    asked.push(hostname)
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    if (options.all) callback(null, found)
    else callback(null, found[0]?.address ?? '', found[0]?.family)
  }
  return { lookup, asked }
}

async function refusal(asking: Promise<unknown>): Promise<ProviderFault> {
  const error = await asking.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ProviderFault)) throw new Error('it was not refused', { cause: error })
  expect(error).toMatchObject({ code: 'provider_error', retryable: false })
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(CANARY)
  return error
}

describe('a request to a vendor', () => {
  it('goes to its host with all that it says, and its answer is one of the platform', async () => {
    const { url, requests } = await server((request, response) => {
      request.pipe(response.writeHead(201, { 'x-some': 'thing' }))
    })
    const response = await upstreams().fetchFor(url)(`${url}/v1/ask?x=1`, ASK)
    expect(response).toBeInstanceOf(Response)
    expect([response.status, response.headers.get('x-some'), await response.text()]).toEqual([201, 'thing', '{"q":1}'])
    expect(requests[0]).toMatchObject({ method: 'POST', url: '/v1/ask?x=1' })
    expect(requests[0]?.headers.authorization).toBe(`Bearer ${CANARY}`)
  })

  it('goes over a connection that is there, where one is free', async () => {
    const { url, connections } = await server()
    const ask = upstreams().fetchFor(url)
    for (let i = 0; i < 20; i++) await (await ask(url)).text()
    // The last one may still be at its end when the next request begins.
    expect(connections()).toBeLessThan(20)
  })

  it('ends its connection when it is aborted, whoever reads or not', async () => {
    const gone: Promise<unknown>[] = []
    const { url } = await server((_, response) => {
      gone.push(once(response, 'close'))
      response.write('a beginning')
    })
    const aborting = new AbortController()
    await upstreams().fetchFor(url)(url, { signal: aborting.signal })
    aborting.abort()
    await gone[0]
  })

  it('lets go of its connection when its body is not wanted any more', async () => {
    const gone: Promise<unknown>[] = []
    const { url } = await server((_, response) => {
      gone.push(once(response, 'close'))
      response.write('a beginning')
    })
    const response = await upstreams().fetchFor(url)(url)
    await response.body?.cancel()
    await gone[0]
  })

  it('fails where nobody listens, without the key in what is said', async () => {
    const { url } = await server()
    const nobody = `http://127.0.0.1:${(await closedPort()).port}`
    const error: unknown = await upstreams()
      .fetchFor(nobody)(nobody, ASK)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({ cause: { code: 'ECONNREFUSED' } })
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(CANARY)
    expect(url).not.toBe(nobody)
  })
})

async function closedPort(): Promise<{ port: number }> {
  const http = createServer().listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  http.close()
  await once(http, 'close')
  return { port }
}

describe('a body', () => {
  const fill =
    (bytes: number, status = 200): RequestListener =>
    (_, response) => {
      response.writeHead(status)
      response.end('x'.repeat(bytes))
    }

  it('is read up to its bound', async () => {
    const { url } = await server(fill(1_000))
    const response = await upstreams({ maxBodyBytes: 1_000 }).fetchFor(url)(url)
    expect(await response.text()).toHaveLength(1_000)
  })

  it.each([200, 500])('beyond it fails, with status %i', async (status) => {
    const { url } = await server(fill(1_001, status))
    const response = await upstreams({ maxBodyBytes: 1_000 }).fetchFor(url)(url)
    expect((await refusal(response.text())).message).toContain('more than 1000 bytes')
  })

  it('that never ends is cut off, and its connection closed', async () => {
    const gone: Promise<unknown>[] = []
    const { url } = await server((_, response) => {
      gone.push(once(response, 'close'))
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })
    const response = await upstreams({ maxBodyBytes: 100_000 }).fetchFor(url)(url)
    await refusal(response.text())
    await gone[0]
  })

  it('of an error is bounded more closely', async () => {
    const { url } = await server(fill(1024 * 1024 + 1, 503))
    const response = await upstreams().fetchFor(url)(url)
    await refusal(response.text())
  })
})

describe('what is refused (X11, security 35)', () => {
  it.each([301, 302, 303, 307, 308])('a redirect with %i, so that nobody else sees the key', async (status) => {
    const other = await server()
    const { url } = await server((_, response) => {
      response.writeHead(status, { location: `${other.url}/caught` }).end()
    })
    const fault = await refusal(upstreams().fetchFor(url)(url, ASK))
    expect(fault.message).toContain('redirects are not followed')
    expect(other.connections()).toBe(0)
  })

  it('a redirect to the same host', async () => {
    const { url, requests } = await server((_, response) => void response.writeHead(307, { location: '/else' }).end())
    await refusal(upstreams().fetchFor(url)(url, ASK))
    expect(requests).toHaveLength(1)
  })

  it.each([
    'http://api.example.com',
    'https://me@api.example.com',
    'https://10.0.0.1',
    'https://192.168.0.1',
    'https://169.254.169.254',
    'https://[fd00::1]',
    'https://[::ffff:10.0.0.1]',
    'https://2852039166',
    'https://0xa000001',
    'https://012.0.0.1',
    'ftp://api.example.com',
  ])('%s as a base URL', (url) => {
    expect(() => upstreams().fetchFor(url)).toThrow('the base URL')
  })

  it('another host, port, scheme or user than the configured one', async () => {
    const other = await server()
    const { url, port } = await server()
    const ask = upstreams().fetchFor(url)
    for (const elsewhere of [
      other.url,
      `http://localhost:${port}`,
      `https://127.0.0.1:${port}`,
      `http://me@127.0.0.1:${port}`,
    ])
      await refusal(ask(elsewhere, ASK))
    expect(other.connections()).toBe(0)
  })

  it.each([
    ['127.0.0.1'],
    ['10.0.0.1'],
    ['172.16.9.9'],
    ['192.168.1.1'],
    ['100.64.0.1'],
    ['169.254.169.254'],
    ['0.0.0.0'],
    ['::1'],
    ['fe80::1'],
    ['fd00:ec2::254'],
    ['::ffff:127.0.0.1'],
    ['64:ff9b::a9fe:a9fe'],
  ])('a name that leads to %s', async (address) => {
    const { lookup, asked } = names([address])
    const { port, connections } = await server()
    const url = `https://api.example.com:${port}`
    const fault = await refusal(upstreams({ lookup }).fetchFor(url)(url, ASK))
    expect(fault.message).toContain('private or reserved')
    expect(asked).toEqual(['api.example.com'])
    expect(connections()).toBe(0)
  })

  it('a name that leads to a private address among public ones', async () => {
    const { lookup } = names(['93.184.215.14', '127.0.0.1'])
    const url = 'https://api.example.com:8443'
    await refusal(upstreams({ lookup }).fetchFor(url)(url, ASK))
  })

  it('a name of the loopback that leads elsewhere', async () => {
    const { lookup } = names(['93.184.215.14'])
    await refusal(upstreams({ lookup }).fetchFor('http://llm.localhost:8443')('http://llm.localhost:8443', ASK))
  })

  it('a name that has changed since the last connection, even where it may be private', async () => {
    const { port, requests } = await server(
      (_, response) => void response.setHeader('connection', 'close').end('hello'),
    )
    const { lookup, asked } = names(['127.0.0.1'], ['169.254.169.254'])
    const url = `http://llm.internal:${port}`
    const ask = upstreams({ lookup, privateHosts: ['llm.internal'] }).fetchFor(url)
    expect(await (await ask(url, ASK)).text()).toBe('hello')
    await refusal(ask(url, ASK))
    expect([asked.length, requests.length]).toEqual([2, 1])
  })
})

describe('what is not refused', () => {
  it('a host of a private network that is named', async () => {
    const { port } = await server()
    const { lookup } = names(['127.0.0.1'])
    const url = `http://llm.internal:${port}`
    const response = await upstreams({ lookup, privateHosts: ['llm.internal'] }).fetchFor(url)(url)
    expect(await response.text()).toBe('hello')
  })

  it('localhost', async () => {
    const { port } = await server()
    const url = `http://localhost:${port}`
    const { lookup } = names(['127.0.0.1'])
    expect((await upstreams({ lookup }).fetchFor(url)(url)).status).toBe(200)
  })
})
