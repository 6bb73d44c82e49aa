import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ListenError, type Part } from '@chatbox/runtime'
import type { FastifyInstance } from 'fastify'

/**
 * The REST app on a port of its own. A stop takes no more connections, answers what is under way, and closes each connection when nothing
 * is asked on it; at the deadline it cuts off the rest.
 */
export function listenHttp(app: FastifyInstance, address: { readonly host: string; readonly port: number }): Part {
  const { server } = app
  const connections = watch(server)

  return {
    name: 'http',
    async start() {
      await app.ready()
      server.listen(address.port, address.host)
      await once(server, 'listening').catch((cause) => {
        throw new ListenError(address, cause)
      })
    },
    async stop(deadline) {
      // First, so that nobody comes in while the app closes.
      server.close()
      connections.closeUnused()
      const cut = () => server.closeAllConnections()
      deadline.addEventListener('abort', cut, { once: true })
      if (deadline.aborted) cut()
      await app.close()
      deadline.removeEventListener('abort', cut)
    },
    addresses() {
      const bound = server.address()
      if (bound === null || typeof bound === 'string') return []
      return [`http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`]
    },
  }
}

/**
 * Which connections have something under way. Node's own way of closing idle ones knows neither those on which nothing was ever asked,
 * nor those that become idle later, and would wait for both.
 */
function watch(server: Server) {
  const underWay = new Map<Socket, number>()
  let closing = false

  const change = (socket: Socket, by: number) => {
    const now = (underWay.get(socket) ?? 0) + by
    if (closing && now === 0) socket.destroySoon()
    else if (!socket.destroyed) underWay.set(socket, now)
  }
  server.on('connection', (socket: Socket) => {
    change(socket, 0)
    socket.once('close', () => underWay.delete(socket))
  })
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    change(socket, 1)
    response.once('close', () => change(socket, -1))
  })

  return {
    /** Now, and from now on. */
    closeUnused() {
      closing = true
      for (const socket of underWay.keys()) change(socket, 0)
    },
  }
}
