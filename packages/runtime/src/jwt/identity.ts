import { type UserId, userId } from '@chatbox/core'
import { sanitise } from '@chatbox/protocol'
import type { JWTPayload } from 'jose'
import { TokenError } from './errors.ts'

export const ROLES = ['user', 'admin', 'chat_admin'] as const
export type Role = (typeof ROLES)[number]

/** Who a verified token speaks for (X2). */
export interface Identity {
  readonly userId: UserId
  /** Never empty: a token without a known role is a user's. */
  readonly roles: readonly Role[]
  /** How the person is shown to others. */
  readonly name?: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

const LONGEST_USER_ID = 128
const LONGEST_NAME = 100
/** The last moment a Date can tell; `exp` may be any number. */
const END_OF_TIME = 8.64e15

/** Control characters, and halves of a surrogate pair: two ids that differ only there would be written alike. */
const UNFIT_FOR_ID = /[\p{Cc}\p{Surrogate}\u2028\u2029]/u
/** They would let a name change how the text around it is shown. */
const DIRECTION_MARKS = /[\u202a-\u202e\u2066-\u2069]/g

export function identityOf(claims: JWTPayload): Identity {
  const name = nameOf(claims.name)
  return Object.freeze({
    userId: userIdOf(claims.sub ?? claims.user_id),
    roles: Object.freeze(rolesOf(claims.roles)),
    ...(name === undefined ? {} : { name }),
    expiresAt: expiryOf(claims.exp),
  })
}

function userIdOf(claim: unknown): UserId {
  const fits = typeof claim === 'string' && claim !== '' && Buffer.byteLength(claim) <= LONGEST_USER_ID
  if (!fits || UNFIT_FOR_ID.test(claim)) throw new TokenError('subject')
  return userId(claim)
}

/** Other words in `roles` belong to other applications of the same issuer. */
function rolesOf(claim: unknown): Role[] {
  if (claim === undefined) return ['user']
  if (!Array.isArray(claim)) throw new TokenError('claims')
  const known = ROLES.filter((role) => claim.includes(role))
  return known.length > 0 ? known : ['user']
}

function nameOf(claim: unknown): string | undefined {
  if (typeof claim !== 'string') return undefined
  const oneLine = sanitise(claim.replace(DIRECTION_MARKS, '')).replace(/\s+/g, ' ')
  const name = [...oneLine].slice(0, LONGEST_NAME).join('').trim()
  return name === '' ? undefined : name
}

function expiryOf(claim: unknown): number {
  if (typeof claim !== 'number') throw new TokenError('expiry')
  return Math.min(claim * 1000, END_OF_TIME)
}
