import { SignJWT } from 'jose'
import type { Role } from './identity.ts'

export interface TokenOptions {
  secret: string
  userId: string
  name?: string
  roles?: readonly Role[]
  /** How long the token is good for. */
  ttlMs: number
  issuer?: string
  audience?: string
  now?: () => number
}

/** An HS256 token, for the embedded shape's demo and for tests. Websites make their own. */
export async function signToken(options: TokenOptions): Promise<string> {
  const { secret, userId, name, roles = ['user'], ttlMs, issuer, audience, now = Date.now } = options
  const issued = Math.floor(now() / 1000)
  const token = new SignJWT({ roles: [...roles], ...(name === undefined ? {} : { name }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(userId)
    .setIssuedAt(issued)
    .setExpirationTime(issued + Math.ceil(ttlMs / 1000))
  if (issuer !== undefined) token.setIssuer(issuer)
  if (audience !== undefined) token.setAudience(audience)
  return token.sign(new TextEncoder().encode(secret))
}
