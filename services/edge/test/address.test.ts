import { connect } from 'node:net'
import { connectWire, refusedUpgrade } from '@chatbox/testkit/wire'
import { describe, expect, it } from 'vitest'
import type { HttpRequest } from '../src/index.ts'
import { openEdge, PAGE } from './support/open-edge.ts'

/** A request as a proxy may write it: the header on several lines. */
async function upgradeWith(url: string, lines: readonly string[]): Promise<number> {
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(
    [
      'GET /chat/ws HTTP/1.1',
      `Host: ${hostname}`,
      `Origin: ${PAGE}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', // not a secret
      ...lines.map((line) => `X-Forwarded-For: ${line}`),
      '',
      '',
    ].join('\r\n'),
  )
  const status = await new Promise<number>((resolve, reject) => {
    socket.once('data', (data) => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(String(data))?.[1])))
    socket.once('error', reject)
  })
  socket.destroy()
  return status
}

describe('an edge behind a proxy', () => {
  const limits = { handshakes: { points: 2, perMs: 60_000 } }
  const refuseTwo = async (url: string, forwarded: string) => {
    for (let i = 0; i < 2; i++) {
      const client = await connectWire(url, { origin: PAGE, headers: { 'X-Forwarded-For': forwarded } })
      client.send({ type: 'hello', deviceId: 'd-1', token: 'wrong' })
      await client.closed()
    }
  }

  it('counts failed handshakes by the address that the proxy saw, and lets others in', async () => {
    const { url } = await openEdge({ memory: { limits }, trustedHops: 1 })
    await refuseTwo(url, '203.0.113.9')
    const from = (address: string) => refusedUpgrade(url, { origin: PAGE, headers: { 'X-Forwarded-For': address } })
    expect(await from('203.0.113.9')).toBe(429)
    // What the client itself wrote does not help it.
    expect(await from('10.0.0.7, 203.0.113.9')).toBe(429)
    await (await connectWire(url, { origin: PAGE, headers: { 'X-Forwarded-For': '203.0.113.10' } })).close()
  })

  it('counts the whole network of an IPv6 address', async () => {
    const { url } = await openEdge({ memory: { limits }, trustedHops: 1 })
    await refuseTwo(url, '2001:db8:1:2::1')
    const headers = { 'X-Forwarded-For': '2001:db8:1:2:ffff::9' }
    expect(await refusedUpgrade(url, { origin: PAGE, headers })).toBe(429)
  })

  it('reads all lines of the header as one', async () => {
    const { url } = await openEdge({ memory: { limits }, trustedHops: 2 })
    await refuseTwo(url, '203.0.113.9, 10.0.0.1')
    expect(await upgradeWith(url, ['203.0.113.9', '10.0.0.1'])).toBe(429)
    expect(await upgradeWith(url, ['10.0.0.1', '203.0.113.8', '10.0.0.1'])).toBe(101)
  })

  it('takes its peer for the client where the header is short, and says so once', async () => {
    const { url, log } = await openEdge({ memory: { limits }, trustedHops: 3 })
    await refuseTwo(url, '203.0.113.9')
    expect(await refusedUpgrade(url, { origin: PAGE, headers: { 'X-Forwarded-For': '203.0.113.10' } })).toBe(429)
    expect(log.filter((line) => line.includes('trusted hop'))).toHaveLength(1)
    expect(log.join('')).not.toContain('203.0.113')
  })

  it('passes the same address on with plain requests', async () => {
    const seen: HttpRequest[] = []
    const { url } = await openEdge({
      trustedHops: 1,
      http: async (request) => {
        seen.push(request)
        return { status: 204, headers: {}, body: '' }
      },
    })
    await fetch(new URL('/any', url), { headers: { 'X-Forwarded-For': '10.0.0.7, 203.0.113.9' } })
    expect(seen[0]?.address).toBe('203.0.113.9')
  })
})
