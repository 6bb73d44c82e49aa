import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A port to start on again: one that was left to the system to choose can't be had twice in a row. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server, '127.0.0.1')
  server.close()
  await once(server, 'close')
  return port
}

async function listen(server: Server, host: string): Promise<number> {
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('no port was given')
  return address.port
}

/** A line to a server that can be cut: what runs over it breaks, and nothing gets through until it is mended. */
export interface Line {
  readonly url: string
  cut(): void
  mend(): void
  close(): Promise<void>
}

export async function startLine(to: string): Promise<Line> {
  const { hostname: host, port: farPort } = new URL(to)
  const sockets = new Set<Socket>()
  let isCut = false

  const server = createServer((near) => {
    if (isCut) {
      near.resetAndDestroy()
      return
    }
    const far = connect(Number(farPort), host)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  const port = await listen(server, host)
  const hangUp = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    url: `http://${host}:${port}/`,
    cut() {
      isCut = true
      hangUp()
    },
    mend() {
      isCut = false
    },
    async close() {
      server.close()
      hangUp()
      await once(server, 'close')
    },
  }
}
