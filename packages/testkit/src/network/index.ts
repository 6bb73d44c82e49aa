import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type Way = 'to-server' | 'to-client'

/** A stretch of network between a client and a server, with the faults that a network has. */
export interface Wire {
  readonly port: number
  /** Connections that stand. */
  readonly connections: number
  /** Bytes that have come and are kept. */
  readonly kept: number
  /** Bytes of one way, or of both, are kept from now on, and nobody notices. */
  freeze(way?: Way): void
  /** What the server says on this one connection, named by the port that the server sees, is kept. */
  freezeConnection(port: number): void
  /** What was kept arrives. */
  thaw(): void
  /** Every connection breaks. */
  cut(): void
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1 and hands everything on to the server's. */
export async function startWire(serverPort: number): Promise<Wire> {
  const pairs = new Set<readonly [client: Socket, server: Socket]>()
  const frozen = new Set<Way>()

  const apply = ([client, server]: readonly [Socket, Socket]) => {
    if (frozen.has('to-server')) client.pause()
    else client.resume()
    if (frozen.has('to-client')) server.pause()
    else server.resume()
  }

  const listener = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1')
    const pair = [client, server] as const
    pairs.add(pair)
    client.on('data', (bytes) => server.write(bytes))
    server.on('data', (bytes) => client.write(bytes))
    for (const [from, to] of [pair, [server, client] as const]) {
      from.setNoDelay(true)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
    }
    apply(pair)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')

  return {
    port: (listener.address() as AddressInfo).port,
    get connections() {
      return pairs.size
    },
    get kept() {
      return [...pairs].flat().reduce((sum, socket) => sum + (socket.isPaused() ? socket.readableLength : 0), 0)
    },
    freeze(way) {
      for (const each of way ? [way] : (['to-server', 'to-client'] as const)) frozen.add(each)
      for (const pair of pairs) apply(pair)
    },
    freezeConnection(port) {
      for (const [, server] of pairs) if (server.localPort === port) server.pause()
    },
    thaw() {
      frozen.clear()
      for (const pair of pairs) apply(pair)
    },
    cut() {
      for (const [client] of pairs) client.destroy()
    },
    async close() {
      listener.close()
      for (const [client, server] of pairs) {
        client.destroy()
        server.destroy()
      }
      if (listener.listening) await once(listener, 'close')
    },
  }
}
