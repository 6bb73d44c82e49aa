import { randomUUID } from 'node:crypto'
import { errorResponse, type HttpHandler } from '@chatbox/edge'
import type { Logger, Ops } from '@chatbox/runtime'
import type { Storage } from '@chatbox/storage'
import type { demoTokens } from './demo-token.ts'
import type { page } from './page.ts'
import { passOn } from './rest.ts'

interface Parts {
  readonly ownHost: (host: string) => boolean
  readonly page: ReturnType<typeof page>
  /** Undefined where it must not be offered: when the service can be reached from elsewhere. */
  readonly demoTokens: ReturnType<typeof demoTokens> | undefined
  /** Health and metrics, unless they have a port of their own. */
  readonly ops: Ops | undefined
  readonly rest: Storage['http']
  readonly log: Logger
}

/** Everything but the socket, on the one port. */
export function http({ ownHost, page, demoTokens, ops, rest, log }: Parts): HttpHandler {
  return async (request) => {
    const path = request.url.split('?', 1)[0] ?? ''
    if (!ownHost(request.headers.host ?? '')) {
      log.warn({ path }, 'a request for another host was refused; set PUBLIC_URL if it is ours')
      return errorResponse(403, 'forbidden', randomUUID())
    }
    try {
      if (path === '/chat/demo/token' && demoTokens) return await demoTokens(request)
      const answered = request.method === 'GET' ? await ops?.handle(path) : undefined
      if (answered) return answered
      const served = page(request)
      if (served) return served
      if (path.startsWith('/chat/')) return await passOn(rest, request)
      return errorResponse(404, 'not_found', randomUUID())
    } catch (err) {
      if (request.signal.aborted) return { status: 499, headers: {}, body: '' }
      const requestId = randomUUID()
      log.error({ err, requestId, path }, 'a request failed')
      return errorResponse(500, 'internal', requestId)
    }
  }
}
