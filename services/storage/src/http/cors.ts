import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

const MAX_AGE_S = 43_200

/**
 * Which pages may call (X10): those of exactly these origins, compared as they are. The others get an answer that their browser keeps from
 * them, and no preflight.
 */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  const allowed = new Set(origins)
  app.register(cors, {
    // Asked each time, so that every answer says that it depends on who asks (`Vary: Origin`).
    origin: (origin, answer) => answer(null, origin !== undefined && allowed.has(origin) ? origin : false),
    credentials: true,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key'],
    exposedHeaders: ['content-disposition', 'retry-after'],
    maxAge: MAX_AGE_S,
    strictPreflight: false,
  })
}
