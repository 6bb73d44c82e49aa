import { Refusal, userId } from '@chatbox/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { askers } from './asker.ts'
import type { Route } from './route.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Absent on what is no route of the table. */
    line?: Route
  }
}

const NOTHING = z.strictObject({})
/** Nobody is asked who they are. */
const NOBODY = userId('')

/** Registers the table, and sees to it that there is no route beside it (security 23). */
export function register(app: FastifyInstance, table: readonly Route[], secret: string): void {
  app.addHook('onRoute', ({ config, method, url }) => {
    // The answer to preflights is that of the CORS plugin.
    if (!config?.line && method !== 'OPTIONS') throw new Error(`${method} ${url} is not in the table of routes`)
  })
  for (const line of table) {
    app.route({
      method: line.method,
      url: line.path,
      config: { line },
      handler: async (request, reply) => line.answer.send(reply, await line.handle(callOf(line, request, secret))),
    })
  }
}

function callOf(line: Route, request: FastifyRequest, secret: string): Parameters<Route['handle']>[0] {
  const params = line.params?.safeParse(request.params)
  // Somebody else's id, one of nothing, and what is no id at all are not told apart (S1).
  if (params?.success === false) throw new Refusal('not_found')
  const uid = line.access === 'user' ? request.identity.userId : NOBODY
  const query = parse(line.query ?? NOTHING, request.query)
  const body = parse(line.body ?? NOTHING, request.body ?? {})
  const asked = {
    uid,
    method: line.method,
    path: line.path,
    params: params?.data,
    body,
    since: performance.now() - request.spentMs,
  }
  const asker = askers(secret, request.headers['idempotency-key'], asked)
  return { uid, params: params?.data, query, body, requestId: request.id, asker }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const field = parsed.error.issues[0]?.path.join('.')
  throw new Refusal('invalid_frame', field ? { field } : {})
}
