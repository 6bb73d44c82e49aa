import { createHmac, timingSafeEqual } from 'node:crypto'
import { decodeProtectedHeader, type JWTClaimVerificationOptions, type JWTPayload, UnsecuredJWT } from 'jose'
import { TokenError } from './errors.ts'

const NO_ALGORITHM = Buffer.from('{"alg":"none"}').toString('base64url')

/**
 * Tokens with a shared secret. Their signature is one hash, and jose sends it to the thread pool and back, which costs ten times the
 * hash: that is felt when everybody comes back at once. So the hash is taken here, and jose judges the claims as it does elsewhere.
 */
export function sharedSecret(secret: string): (token: string, claims: JWTClaimVerificationOptions) => JWTPayload {
  const key = Buffer.from(secret)
  return (token, claims) => {
    const { alg, crit } = decodeProtectedHeader(token)
    // Extensions that must be understood, such as a payload that is not base64url: none is.
    if (alg !== 'HS256' || crit !== undefined) throw new TokenError('algorithm')
    const [header, payload, signature, ...more] = token.split('.')
    if (!payload || signature === undefined || more.length > 0) throw new TokenError('not_a_token')
    // Compared as text, so that there is one way only to write a signature.
    const expected = Buffer.from(createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url'))
    const given = Buffer.from(signature)
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new TokenError('signature')
    return UnsecuredJWT.decode(`${NO_ALGORITHM}.${payload}.`, claims).payload
  }
}
