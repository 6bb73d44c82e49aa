import { createHmac, randomBytes } from 'node:crypto'
import { Refusal, type RequestId, randomId, requestId } from '@chatbox/core'

/** Under which id somebody asks for a change. */
export interface Asker {
  readonly requestId: RequestId
  /** It may have been asked before, under the same key: then what became of it is known (R9). */
  readonly again: boolean
  /** When whoever asks began to wait, by `performance.now()`: everything that is done for them has one time limit. Now, if it is not said. */
  readonly since?: number
}

/** What makes a request the same one. With another body it is another one, whatever its key says. */
export interface Asked {
  readonly uid: string
  readonly method: string
  readonly path: string
  readonly params: unknown
  readonly body: unknown
  readonly since: number
}

const KEY = /^[\x21-\x7e]{1,128}$/

const sealed = (secret: string, ...parts: unknown[]): string =>
  createHmac('sha256', secret).update(JSON.stringify(parts)).digest('base64url')

/**
 * An `Idempotency-Key` makes the request's id: nobody can name a request of somebody else with it, because the user is part of what is
 * hashed, and nobody but us can make the hash.
 */
export function askers(secret: string, key: string | string[] | undefined, asked: Asked): (part?: string) => Asker {
  const { uid, method, path, params, body, since } = asked
  if (key === undefined) return () => ({ requestId: requestId(randomId()), again: false, since })
  if (typeof key !== 'string' || !KEY.test(key)) throw new Refusal('invalid_frame', { field: 'idempotency-key' })
  return (part = '') => ({
    requestId: requestId(sealed(secret, 'request', uid, method, path, params, key, body ?? null, part)),
    again: true,
    since,
  })
}

/** Outcomes are kept this long (R9); afterwards the same key is a new request. */
const KEPT_MS = 600_000

/**
 * What a link may hold, the first being for a link that is made now. A request that is repeated under its key must give the same link
 * again, which nobody has kept: so it follows from the request's id. It changes with time, so that a key that is used once more much later
 * does not bring back a link that was taken back.
 */
export function linkTokens(secret: string, { requestId: id, again }: Asker, now: number): [string, ...string[]] {
  if (!again) return [randomBytes(32).toString('base64url')]
  const age = Math.floor(now / KEPT_MS)
  return [sealed(secret, 'link', id, age), sealed(secret, 'link', id, age - 1)]
}
