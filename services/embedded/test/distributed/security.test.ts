import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomId } from '@chatbox/core'
import { defaultLimits, HARD_FRAME_LIMIT, type SessionPage, UNAUTHENTICATED_FRAME_LIMIT } from '@chatbox/protocol'
import { available } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { disableSomebody } from './disabled-user.ts'
import { cleanUp, later, metric, ownRedis, patient } from './scene.ts'
import { startDistributed } from './system.ts'

const there = await available('redis')
afterEach(cleanUp)

const slowly = { timeout: 60_000 }
/** Where no clock is waited for: a busy machine is not to miss half a second. */
const AS_THEY_ARE = { clockScale: 1 }

describe.skipIf(!there)('a user who is disabled in the database', slowly, () => {
  // A tenth of the 5 s that are promised.
  const tenth = { clockScale: 0.1, withinMs: 5_000 }

  it('loses the sockets on every edge in time (R23, security 8)', () =>
    disableSomebody({ ...tenth, signalLost: false }))

  it('loses them also when no edge heard of it (R23, security 8)', () =>
    disableSomebody({ ...tenth, signalLost: true }))
})

describe.skipIf(!there)('what is one byte over its limit', slowly, () => {
  it('is dropped and counted, and nothing of it is stored, where one byte less is (security 14)', async () => {
    const redis = await ownRedis()
    const system = await startDistributed({ redisUrl: redis.url, edges: 1, ...AS_THEY_ARE })
    later(() => system.stop())
    const [edge] = system.edges
    if (!edge) throw new Error('there is no edge')
    let device = await system.device(edge, 'ada', 'tablet')
    const message = (more: object) => ({ type: 'message.send', clientMessageId: randomId(), text: 'hello', ...more })
    const padded = (bytes: number) => {
      const text = JSON.stringify(message({}))
      return text + ' '.repeat(bytes - text.length)
    }
    const { text, metadataValue, fileId, url, modelId, sessionId, frame } = defaultLimits
    const rows: readonly [code: string, frame: object | string][] = [
      ['invalid_frame', message({ text: 'x'.repeat(text + 1) })],
      // Four bytes each, so that characters are not what is counted.
      ['invalid_frame', message({ text: `${'🙂'.repeat(text / 4)}x` })],
      ['invalid_frame', message({ metadata: { page: 'x'.repeat(metadataValue + 1) } })],
      ['invalid_frame', message({ files: [{ fileId: 'x'.repeat(fileId + 1) }] })],
      ['invalid_frame', message({ files: [{ fileId: 'f', url: `https://example.org/${'x'.repeat(url - 19)}` }] })],
      ['invalid_frame', message({ modelId: 'x'.repeat(modelId + 1) })],
      ['invalid_frame', message({ sid: 'x'.repeat(sessionId + 1) })],
      ['too_large', padded(frame + 1)],
      ['too_large', padded(HARD_FRAME_LIMIT)],
    ]
    for (const [i, [code, sent]] of rows.entries()) {
      const counted = () => metric(edge, `chatbox_edge_errors_total{code="${code}"}`)
      const before = await counted()
      const from = device.frames.length
      device.send(typeof sent === 'string' ? sent : { ...sent })
      const error = await device.waitFor('error', undefined, from)
      expect([i, error.code]).toEqual([i, code])
      expect(await counted()).toBe(before + 1)
    }
    const cut = () => metric(edge, 'chatbox_edge_left_total{how="cut"}')
    const before = await cut()
    device.send(padded(HARD_FRAME_LIMIT + 1))
    expect((await device.closed()).code).toBe(1006)
    await expect.poll(cut, patient).toBe(before + 1)
    const sessions = async () => ((await system.rest('ada', '/chat/sessions')).body as SessionPage).sessions
    expect(await sessions()).toEqual([])

    device = await system.device(edge, 'ada', 'tablet')
    for (const sent of [message({ text: 'x'.repeat(text) }), padded(frame)]) {
      device.send(typeof sent === 'string' ? sent : { ...sent })
      const { clientMessageId } = typeof sent === 'string' ? JSON.parse(sent) : sent
      await device.waitFor('message', (accepted) => accepted.clientMessageId === clientMessageId)
    }
    expect(await sessions()).toHaveLength(2)
  })
})

describe.skipIf(!there)('a stranger', slowly, () => {
  it('who says nothing is closed in time, and one who says too much at once (security 4)', async () => {
    const redis = await ownRedis()
    const system = await startDistributed({ redisUrl: redis.url, edges: 1 })
    later(() => system.stop())
    const [edge] = system.edges
    if (!edge) throw new Error('there is no edge')
    const from = performance.now()
    const silent = await system.open(edge)
    expect((await silent.closed()).code).toBe(4001)
    // A tenth of 5 s; timers may be early by the part of a millisecond.
    expect(performance.now() - from).toBeGreaterThan(498)
    const loud = await system.open(edge)
    const hello = JSON.stringify({ type: 'hello', token: await system.token('ada'), deviceId: 'tablet' })
    loud.send(hello.padEnd(UNAUTHENTICATED_FRAME_LIMIT + 1))
    expect((await loud.closed()).code).toBe(4200)
    const quiet = await system.open(edge)
    quiet.send(hello.padEnd(UNAUTHENTICATED_FRAME_LIMIT))
    await quiet.waitFor('ready')
    expect(UNAUTHENTICATED_FRAME_LIMIT).toBe(4_096)
  })
})

describe.skipIf(!there)('a budget', slowly, () => {
  it('is one for all edges: of 200 requests at once it admits exactly its own number (X6, security 20)', async () => {
    const redis = await ownRedis()
    const system = await startDistributed({ redisUrl: redis.url, env: { RATE_LIMIT_REQUESTS: '60' }, ...AS_THEY_ARE })
    later(() => system.stop())
    const devices = await Promise.all(
      system.edges.flatMap((edge, i) => [0, 1].map((n) => system.device(edge, 'ada', `device-${i}-${n}`))),
    )
    for (let i = 0; i < 200; i += 1) {
      const device = devices[i % devices.length]
      device?.send({ type: 'session.read', sid: 'nowhere', seq: 1, requestId: `r-${i}` })
    }
    const codes = () => devices.flatMap(({ frames }) => frames.flatMap((f) => (f.type === 'error' ? [f.code] : [])))
    await expect.poll(() => codes().length, patient).toBe(200)
    const admitted = codes().filter((code) => code === 'not_found')
    const refused = codes().filter((code) => code === 'rate_limited')
    expect([admitted.length, refused.length]).toEqual([60, 140])
  })
})

describe.skipIf(!there)('tokens whose keys cannot be fetched', slowly, () => {
  it('let nobody in, blame nobody, and are found in the log (security 5)', async () => {
    const redis = await ownRedis()
    let asked = 0
    const issuer = createServer((_, response) => {
      asked += 1
      response.writeHead(500).end()
    })
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
    later(async () => void issuer.close())
    const { port } = issuer.address() as AddressInfo
    const system = await startDistributed({ redisUrl: redis.url, edges: 0, ...AS_THEY_ARE })
    later(() => system.stop())
    const edge = await system.startEdge({ JWT_SECRET: undefined, JWT_JWKS_URL: `http://127.0.0.1:${port}/keys` })
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { sub: 'ada', exp: Math.floor(Date.now() / 1_000) + 600 }
    const token = `${part({ alg: 'RS256', kid: 'k1' })}.${part(claims)}.${part({})}`
    for (let i = 0; i < 3; i += 1) {
      const device = await system.open(edge)
      device.send({ type: 'hello', token, deviceId: 'tablet' })
      expect(await device.waitFor('error')).toMatchObject({ code: 'unavailable', retryable: true })
      expect((await device.closed()).code).toBe(1013)
    }
    expect(asked).toBe(1)
    await edge.process.waitForOutput(/"part":"tokens".*keys of tokens could not be fetched/)
    expect(await metric(edge, 'chatbox_edge_unauthenticated_total')).toBe(0)
    expect(edge.process.output()).not.toContain(token)
  })
})
