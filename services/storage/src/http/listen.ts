import { createTimers, ListenError, type Part } from '@chatbox/runtime'
import type { FastifyInstance } from 'fastify'

/** How often connections that have become idle are looked for while it stops. */
const IDLE_MS = 50

/**
 * The REST app on a port of its own. A stop takes no more connections, answers what is under way, and closes each connection when it has
 * been answered; at the deadline it cuts off the rest.
 */
export function listenHttp(app: FastifyInstance, address: { readonly host: string; readonly port: number }): Part {
  return {
    name: 'http',
    async start() {
      await app.listen({ ...address }).catch((cause) => {
        throw isSystemError(cause) ? new ListenError(address, cause) : cause
      })
    },
    async stop(deadline) {
      const { server } = app
      const cut = () => server.closeAllConnections()
      // A connection that was busy when the stop began is kept alive after its answer, and nobody would close it.
      const stopClosing = createTimers().every(IDLE_MS, () => server.closeIdleConnections(), cut)
      deadline.addEventListener('abort', cut, { once: true })
      if (deadline.aborted) cut()
      await app.close()
      deadline.removeEventListener('abort', cut)
      await stopClosing()
    },
    addresses() {
      const bound = app.server.address()
      if (bound === null || typeof bound === 'string') return []
      return [`http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`]
    },
  }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error
