import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { startWire } from '../src/network/index.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function stretch() {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  cleanups.push(() => listener.close())
  const wire = await startWire((listener.address() as AddressInfo).port)
  cleanups.push(wire.close)
  const arrived = once(listener, 'connection') as Promise<[Socket]>
  const client = connect(wire.port, '127.0.0.1')
  const [server] = await arrived
  const said: string[] = []
  server.on('data', (bytes) => said.push(String(bytes)))
  return { wire, client, said }
}

const patience = { timeout: 10_000, interval: 5 }

describe('a stretch of network', () => {
  it('keeps what is said while it is frozen, tells how much that is, and hands it on when it thaws', async () => {
    const { wire, client, said } = await stretch()
    client.write('one ')
    await expect.poll(() => said.join(''), patience).toBe('one ')
    expect(wire.kept).toBe(0)
    wire.freeze('to-server')
    client.write('two ')
    await expect.poll(() => wire.kept, patience).toBe(4)
    expect(said.join('')).toBe('one ')
    wire.thaw()
    await expect.poll(() => said.join(''), patience).toBe('one two ')
    expect(wire.kept).toBe(0)
  })
})
