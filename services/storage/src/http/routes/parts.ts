import { Refusal, type Session, type SessionId, sessionId, type UserId } from '@chatbox/core'
import { z } from 'zod'
import type { StorageDeps } from '../../deps.ts'
import type { RestParts } from '../server.ts'

/** What the handlers of all routes work with. */
export type RestDeps = StorageDeps & RestParts

const SID = /^[A-Za-z0-9_-]{1,128}$/

export const seq = z.number().int().positive().max(Number.MAX_SAFE_INTEGER)

const DECIMAL = /^(0|[1-9]\d{0,15})$/

/** As it stands in a path or a query: digits, and nothing else that would pass for a number. */
const number = (least: number, most: number) =>
  z
    .string()
    .refine((text) => DECIMAL.test(text))
    .transform(Number)
    .pipe(z.number().int().min(least).max(most))
    // What the description says of it.
    .meta({ type: 'integer', minimum: least, maximum: most })

export const inSession = z.strictObject({ sid: z.string().regex(SID).transform(sessionId) })
export const inMessage = inSession.extend({ seq: number(1, Number.MAX_SAFE_INTEGER) })

export const upTo = (most: number, usual: number) => number(1, most).default(usual).meta({ default: usual })

/** Any part of a session's messages, from its end if it is not said from where. */
export const pageQuery = z
  .strictObject({
    limit: upTo(100, 50),
    before: number(0, Number.MAX_SAFE_INTEGER).optional(),
    after: number(0, Number.MAX_SAFE_INTEGER).optional(),
  })
  .refine((query) => query.before === undefined || query.after === undefined, { path: ['after'] })

export type PageQuery = z.output<typeof pageQuery>

/** Somebody else's session is as unknown as one that does not exist (S1), and one that was erased. */
export async function ownSession({ conversations }: RestDeps, uid: UserId, sid: SessionId): Promise<Session> {
  const session = await conversations.session(sid)
  if (session?.uid !== uid || session.erased) throw new Refusal('not_found')
  return session
}
