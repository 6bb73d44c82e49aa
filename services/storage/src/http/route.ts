import type { UserId } from '@chatbox/core'
import type { ErrorCode } from '@chatbox/protocol'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import type { Asker } from './asker.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a handler is called with: everything parsed, nothing of the transport. */
export interface Call<P = unknown, Q = unknown, B = unknown> {
  /** Who asks. Of nobody on a route that anybody may call. */
  readonly uid: UserId
  readonly params: P
  readonly query: Q
  readonly body: B
  /** Names this request in the log, and to whoever asked. */
  readonly requestId: string
  /** Who hears what becomes of an entry; `part` tells several of one request apart. */
  asker(part?: string): Asker
}

/** How a route answers, and what the description says of it. */
export interface Answer<T> {
  readonly status: 200 | 204
  /** By media type; without a schema it is text. */
  readonly content: Readonly<Record<string, z.ZodType | undefined>>
  send(reply: FastifyReply, value: T): FastifyReply
}

/** One line of the table that the routes, their checks and their description are made from. */
export interface Route<P = unknown, Q = unknown, B = unknown, T = unknown> {
  readonly method: Method
  /** With `:name` for each parameter. */
  readonly path: `/chat/${string}`
  /** What generated clients call it. */
  readonly name: string
  readonly summary: string
  /** `user` needs a token, and counts against the user; `anybody` counts against the address. */
  readonly access: 'user' | 'anybody'
  /** Ids that do not pass are as unknown as ids of nothing. */
  readonly params?: z.ZodType<P>
  readonly query?: z.ZodType<Q>
  readonly body?: z.ZodType<B>
  readonly answer: Answer<T>
  /** What it refuses with, beside what every route does. */
  readonly refusals: readonly ErrorCode[]
  handle(call: Call<P, Q, B>): Promise<T>
}

/** Checks that the handler fits what the line says, and forgets the types, so that lines can stand in one table. */
export const route = <P, Q, B, T>(line: Route<P, Q, B, T>): Route => line as Route
