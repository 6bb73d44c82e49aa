import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Refusal } from '@chatbox/core'
import { logError, trustedAddress } from '@chatbox/runtime'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import type { StorageDeps } from '../deps.ts'
import { authenticate } from './authenticate.ts'
import type { Changes } from './changes.ts'
import { allowOrigins } from './cors.ts'
import type { DisabledUsers } from './disabled.ts'
import { CONTENT_TYPE, errorBodyOf, refusalOf, statusOf, type Thrown } from './errors.ts'
import { register } from './register.ts'
import type { Route } from './route.ts'
import { routeTable } from './routes/index.ts'

export interface RestOptions {
  /** Exact origins whose pages may call (X10). None by default. */
  readonly corsOrigins?: readonly string[]
  /** Proxies in front whose X-Forwarded-For is believed (security 21). Default 0: whoever connects is the client. */
  readonly trustedHops?: number
}

export interface RestParts {
  readonly changes: Changes
  readonly disabled: DisabledUsers
  /** In place of the table that the service has, for tests of what surrounds it. */
  readonly table?: readonly Route[]
}

/** Nothing here is a page, and no answer is for anybody but who asked. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex',
} as const

/** Of what is refused before anybody has looked who asks from where: other answers depend on that. */
const UNROUTED = { ...HEADERS, vary: 'Origin' } as const

const BODY_LIMIT = 65_536
/** For all of a request to arrive. */
const REQUEST_MS = 10_000
/** A connection on which nothing moves, such as that of a client that takes no more of an export. */
const IDLE_MS = 60_000

/** The users' REST. Listens to nothing by itself. */
export function createHttp(deps: StorageDeps, parts: RestParts, options: RestOptions = {}): FastifyInstance {
  const { log, metrics } = deps
  const app = Fastify({
    logger: false,
    genReqId: () => randomUUID(),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_MS,
    // Without a limit of its own for the headers, Node has the whole request wait for theirs, a minute.
    http: { headersTimeout: REQUEST_MS, connectionsCheckingInterval: 1_000 },
    connectionTimeout: IDLE_MS,
    exposeHeadRoutes: false,
    // What was sent before a stop is answered, in our own words; the connection is closed with it.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 4_096 },
    // A path that does not decode never gets to a route; its text is not repeated.
    frameworkErrors: (_error, request, reply: FastifyReply) =>
      reply.code(404).headers(UNROUTED).send(errorBodyOf('not_found', request.id)),
    clientErrorHandler: (error, socket) => refuseBytes(error, socket),
  })
  app.decorateRequest('identity')
  app.decorateRequest('spentMs', 0)
  readJsonOnly(app)

  app.setErrorHandler((error: Thrown, request, reply) => {
    const refusal = refusalOf(error)
    const about = { requestId: request.id, route: request.routeOptions.url }
    if (refusal.code === 'internal') log.error({ err: error, ...about }, 'a request failed')
    // There are as many of these as requests while a store is away, and where in our code it was noticed says nothing.
    if (refusal.code === 'unavailable')
      log.warn({ reason: logError(error).message, ...about }, 'a request could not be served')
    if (refusal.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(refusal.retryAfterMs / 1_000))
    return reply.code(statusOf(refusal.code, refusal.field)).send(errorBodyOf(refusal.code, request.id, refusal.field))
  })
  app.setNotFoundHandler((request, reply) => reply.code(404).send(errorBodyOf('not_found', request.id)))

  allowOrigins(app, options.corsOrigins ?? [])
  // After the plugin, so that preflights, which carry no token, are answered before anybody asks for one.
  app.after(() => {
    app.addHook('onRequest', authenticate(deps, parts.disabled, trustedAddress(options.trustedHops ?? 0, log)))
    app.addHook('onSend', async (_request, reply) => {
      reply.headers(HEADERS)
    })
    app.addHook('onResponse', async (request, reply) => {
      const route = request.routeOptions.url ?? 'unknown'
      const labels = { route, method: request.method, status: reply.statusCode }
      metrics.requests.observe(labels, reply.elapsedTime / 1_000)
    })
    register(app, parts.table ?? routeTable({ ...deps, ...parts }), deps.requestSecret)
  })
  return app
}

/** No body is JSON too, for what needs none. */
function readJsonOnly(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (!saysUtf8(request.headers['content-type'])) return done(new Refusal('invalid_frame', { field: CONTENT_TYPE }))
    if (body.length === 0) return done(null, undefined)
    // Decoded all the same, it would be stored with other characters than were sent.
    if (!isUtf8(Buffer.from(body))) return done(new Refusal('invalid_json'))
    return parseJson(request, body.toString(), done)
  })
}

/** JSON is UTF-8, whether that is said or not; anything else would be read as what it is not. */
function saysUtf8(contentType = ''): boolean {
  const [, charset] = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType) ?? []
  return charset === undefined || /^utf-?8$/i.test(charset)
}

/** What is no HTTP at all, or does not come to an end. */
function refuseBytes({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) return void socket.destroy()
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const body = JSON.stringify(errorBodyOf(status === 431 ? 'too_large' : 'invalid_frame', randomUUID()))
  const headers = {
    ...UNROUTED,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
}
