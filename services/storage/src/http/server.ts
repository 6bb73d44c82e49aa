import { randomUUID } from 'node:crypto'
import { Refusal, Unavailable } from '@chatbox/core'
import { type ErrorBody, type ErrorCode, errorViewOf } from '@chatbox/protocol'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import type { StorageDeps } from '../deps.ts'
import { authenticate } from './authenticate.ts'
import { sessionRoutes } from './sessions.ts'

const STATUS: Partial<Record<ErrorCode, number>> = {
  invalid_json: 400,
  invalid_frame: 400,
  too_large: 413,
  unauthorized: 401,
  token_expired: 401,
  forbidden: 403,
  disabled: 403,
  not_found: 404,
  conflict: 409,
  session_ended: 409,
  rate_limited: 429,
  overloaded: 503,
  expired: 503,
  unavailable: 503,
  not_supported: 501,
}

/** The users' REST. Listens to nothing by itself. */
export function createHttp(deps: StorageDeps): FastifyInstance {
  const app = Fastify({
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: 65_536,
    routerOptions: { maxParamLength: 4_096 },
    // A path that does not decode never gets to a route; its text is not repeated.
    frameworkErrors: (_error, request, reply: FastifyReply) => reply.code(404).send(errorBody('not_found', request.id)),
  })
  app.decorateRequest('identity')

  app.addHook('onRequest', authenticate(deps))
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    const labels = { route, method: request.method, status: reply.statusCode }
    deps.metrics.requests.observe(labels, reply.elapsedTime / 1_000)
  })

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const refusal = refusalOf(error)
    if (refusal.code === 'internal' || refusal.code === 'unavailable') {
      deps.log.error({ err: error, requestId: request.id, route: request.routeOptions.url }, 'a request failed')
    }
    if (refusal.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(refusal.retryAfterMs / 1_000))
    return reply.code(STATUS[refusal.code] ?? 500).send(errorBody(refusal.code, request.id))
  })
  app.setNotFoundHandler((request, reply) => reply.code(404).send(errorBody('not_found', request.id)))

  sessionRoutes(app, deps)
  return app
}

/** What may be told of an error; the rest is in the log under the request's id (X4). */
function refusalOf(error: Error & { statusCode?: number }): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof Unavailable) return new Refusal('unavailable', { cause: error })
  if (error.statusCode === 413) return new Refusal('too_large', { cause: error })
  if (error.statusCode !== undefined && error.statusCode < 500) return new Refusal('invalid_frame', { cause: error })
  return new Refusal('internal', { cause: error })
}

const errorBody = (code: ErrorCode, requestId: string): ErrorBody => ({ error: { ...errorViewOf(code), requestId } })
