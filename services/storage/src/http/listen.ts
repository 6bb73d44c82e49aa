import type { Part } from '@chatbox/runtime'
import type { FastifyInstance } from 'fastify'

/** The REST app on a port of its own. What is under way when a stop begins is answered; idle connections are closed. */
export function listenHttp(app: FastifyInstance, { host, port }: { host: string; port: number }): Part {
  return {
    name: 'http',
    async start() {
      await app.listen({ host, port })
    },
    async stop(deadline) {
      const cut = () => app.server.closeAllConnections()
      deadline.addEventListener('abort', cut, { once: true })
      await app.close()
      deadline.removeEventListener('abort', cut)
    },
    addresses() {
      const bound = app.server.address()
      if (bound === null || typeof bound === 'string') return []
      return [`http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`]
    },
  }
}
