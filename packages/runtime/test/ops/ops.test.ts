import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Check, createMetrics, createOps, ListenError, type OpsOptions } from '../../src/index.ts'
import { readableLogger } from '../support.ts'

const metrics = createMetrics()
metrics.counter({ name: 'frames_total', help: 'Frames that came in.' }).inc()

const well: Check = { name: 'redis', ping: async () => 'PONG' }
const failing: Check = {
  name: 'mongodb',
  ping: async () => {
    throw Object.assign(new Error('connect mongodb://user:hunter2@10.0.0.7:27017'), { code: 'ECONNREFUSED' })
  },
}
/** Never answers and does not care for its signal, like a Redis that was stopped with SIGSTOP behind a bad client. */
const hanging = (): Check & { asked: number } => {
  const check = { name: 'redis', asked: 0, ping: () => new Promise<never>(() => check.asked++) }
  return check
}

describe('health', () => {
  it('of the process is fine whatever the stores do', async () => {
    const ops = createOps({ metrics, checks: [failing, hanging()], timeoutMs: 50 })
    expect(await ops.handle('/chat/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}' })
  })
})

describe('readiness', () => {
  const ready = async (checks: Check[], options: Partial<OpsOptions> = {}) => {
    const ops = createOps({ metrics, checks, timeoutMs: 50, ...options })
    ops.ready()
    const answer = await ops.handle('/chat/readyz')
    return { status: answer?.status, body: JSON.parse(answer?.body ?? '') }
  }

  it('is given when every store answers', async () =>
    expect(await ready([well, { ...well, name: 'mongodb' }])).toEqual({
      status: 200,
      body: { status: 'ready', checks: { redis: 'ok', mongodb: 'ok' } },
    }))

  it('is 503 when one fails, and tells which, but no more', async () =>
    expect(await ready([well, failing])).toEqual({
      status: 503,
      body: { status: 'unready', checks: { redis: 'ok', mongodb: 'failed' } },
    }))

  it('is 503 within the timeout when one hangs and ignores that it was told to give up', async () => {
    const begun = performance.now()
    expect(await ready([hanging(), { ...well, name: 'mongodb' }], { timeoutMs: 200 })).toMatchObject({
      status: 503,
      body: { checks: { redis: 'timeout', mongodb: 'ok' } },
    })
    expect(performance.now() - begun).toBeGreaterThan(150)
    expect(performance.now() - begun).toBeLessThan(1500)
  })

  it('tells a hanging check to give up', async () => {
    let gaveUp = false
    const check: Check = {
      name: 'redis',
      ping: async (signal) => {
        await once(signal, 'abort')
        gaveUp = true
      },
    }
    expect(await ready([check])).toMatchObject({ status: 503, body: { checks: { redis: 'timeout' } } })
    expect(gaveUp).toBe(true)
  })

  it('asks a hanging store once for all who want to know at the same time', async () => {
    const check = hanging()
    const ops = createOps({ metrics, checks: [check], timeoutMs: 50 })
    ops.ready()
    await Promise.all(Array.from({ length: 50 }, () => ops.handle('/chat/readyz')))
    expect(check.asked).toBe(1)
    await ops.handle('/chat/readyz')
    expect(check.asked).toBe(2)
  })

  it('also fails for a check that throws before it gives a promise', async () => {
    const check: Check = {
      name: 'redis',
      ping: () => {
        throw new Error('not connected')
      },
    }
    expect(await ready([check])).toMatchObject({ status: 503, body: { checks: { redis: 'failed' } } })
  })

  it('is logged when it changes, not at every probe', async () => {
    const log = readableLogger()
    let fine = false
    const ops = createOps({
      metrics,
      checks: [{ name: 'redis', ping: async (signal) => (fine ? well : failing).ping(signal) }],
      logger: log.logger,
    })
    ops.ready()
    for (fine of [false, false, true, true]) await ops.handle('/chat/readyz')
    expect(log.lines()).toMatchObject([
      { level: 'warn', check: 'redis', result: 'failed', err: { code: 'ECONNREFUSED' } },
      { level: 'info', check: 'redis', result: 'ok' },
    ])
    expect(log.raw.join('')).not.toContain('hunter2')
  })

  it('is not given before start-up is complete, nor from the moment a stop begins', async () => {
    const ops = createOps({ metrics, checks: [well] })
    const status = async () => JSON.parse((await ops.handle('/chat/readyz'))?.body ?? '').status
    expect(await status()).toBe('starting')
    ops.ready()
    expect(await status()).toBe('ready')
    ops.drain()
    expect(await status()).toBe('draining')
    ops.ready()
    expect(await status()).toBe('draining')
    expect(await ops.handle('/chat/readyz')).toMatchObject({ status: 503 })
  })
})

describe('the ops port', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })

  async function open(options: Partial<OpsOptions> = {}) {
    const ops = createOps({ metrics, checks: [well], listen: { host: '127.0.0.1', port: 0 }, ...options })
    await ops.start()
    stops.push(() => ops.stop(new AbortController().signal))
    return { ops, base: ops.addresses()[0] ?? '' }
  }

  it('serves health, readiness and metrics', async () => {
    const { ops, base } = await open()
    ops.ready()
    expect(base).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await (await fetch(`${base}/chat/healthz`)).json()).toEqual({ status: 'ok' })
    expect((await fetch(`${base}/chat/readyz?verbose`)).status).toBe(200)
    const metricsAnswer = await fetch(`${base}/metrics`)
    expect(metricsAnswer.headers.get('content-type')).toMatch(/^text\/plain/)
    expect(await metricsAnswer.text()).toContain('chatbox_frames_total 1')
  })

  it('serves nothing else', async () => {
    const { base } = await open()
    expect((await fetch(`${base}/`)).status).toBe(404)
    expect((await fetch(`${base}/metrics/../secret`)).status).toBe(404)
    expect((await fetch(`${base}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405)
    const head = await fetch(`${base}/chat/healthz`, { method: 'HEAD' })
    expect({ status: head.status, body: await head.text() }).toEqual({ status: 200, body: '' })
  })

  it('shows a code only when metrics cannot be collected', async () => {
    const broken = createMetrics()
    broken.gauge({
      name: 'broken',
      help: 'A gauge that cannot be read.',
      collect: () => {
        throw new Error('canary')
      },
    })
    const log = readableLogger()
    const { base } = await open({ metrics: broken, logger: log.logger })
    const answer = await fetch(`${base}/metrics`)
    expect({ status: answer.status, body: await answer.json() }).toEqual({
      status: 500,
      body: { error: { code: 'internal' } },
    })
    expect(log.messages()).toEqual(['metrics could not be collected'])
  })

  it('that is in use is told in one sentence', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    stops.push(async () => void other.close())
    // Listening on a port, so the address has one.
    const { port } = other.address() as AddressInfo
    const ops = createOps({ metrics, listen: { host: '127.0.0.1', port } })
    const error = await ops.start().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ListenError)
    expect(error).toMatchObject({
      code: 'EADDRINUSE',
      message: `Cannot listen on 127.0.0.1:${port}: the port is in use.`,
    })
  })

  it('closes at once, a connection that is kept alive and a request that hangs included', async () => {
    const check = hanging()
    const ops = createOps({ metrics, checks: [check], listen: { host: '127.0.0.1', port: 0 } })
    await ops.start()
    ops.ready()
    const base = ops.addresses()[0] ?? ''
    await fetch(`${base}/chat/healthz`)
    const waiting = fetch(`${base}/chat/readyz`).catch((reason: unknown) => reason)
    await expect.poll(() => check.asked).toBe(1)
    await ops.stop(new AbortController().signal)
    expect(await waiting).toBeInstanceOf(Error)
    await expect(fetch(`${base}/chat/healthz`)).rejects.toThrow()
  })

  it('is not opened without an address to listen on', async () => {
    const ops = createOps({ metrics })
    await ops.start()
    expect(ops.addresses()).toEqual([])
    await ops.stop(new AbortController().signal)
    expect(await ops.handle('/else')).toBeUndefined()
  })
})
