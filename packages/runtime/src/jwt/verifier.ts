import { createHash } from 'node:crypto'
import {
  decodeProtectedHeader,
  errors,
  type JWTClaimVerificationOptions,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose'
import { LRUCache } from 'lru-cache'
import type { Logger } from '../log/logger.ts'
import { TokenError, type TokenFault } from './errors.ts'
import { sharedSecret } from './hs256.ts'
import { type Identity, identityOf } from './identity.ts'
import { createKeySource, type KeySourceTimes, keySourceTimes } from './key-source.ts'

export interface VerifierOptions {
  /** HS256. Exactly one of `secret` and `jwksUrl` is given, so that an algorithm can never be taken for another. */
  secret?: string | undefined
  /** RS256, ES256 or EdDSA with keys from here, and from nowhere that a token names. */
  jwksUrl?: URL | undefined
  issuer?: string | undefined
  /** A token needs one of these; none listed, none asked for. */
  audience?: readonly string[]
  /** How many verified tokens are remembered until they expire. */
  cacheSize?: number
  jwksTimes?: Partial<KeySourceTimes>
  logger?: Logger
  now?: () => number
}

export interface Verifier {
  /** Who the token speaks for; rejects with a TokenError. */
  verify(token: string): Promise<Identity>
  /** Verified tokens in memory (S5). */
  size(): number
}

const LONGEST_TOKEN = 8192
/** How far the issuer's clock may be ahead of ours for `nbf`. `exp` has no tolerance: sockets close at that moment. */
const CLOCK_TOLERANCE_S = 5
/** An access token says so (RFC 9068) or nothing at all; an `id` of another kind must not open a chat. */
const TYPES = new Set(['jwt', 'at+jwt'])
/** Places for a token to bring its own key, which is no key at all. */
const FOREIGN_KEYS = ['jku', 'jwk', 'x5u', 'x5c'] as const

export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience = [], cacheSize = 10_000, now = Date.now } = options
  const times = { ...keySourceTimes, ...options.jwksTimes }
  const { read, takesKeyId } = signatureOf(options, times, now)
  // A withdrawn public key is noticed when the keys are next fetched; a remembered token must not outlive that by long.
  const longestTrust = options.jwksUrl ? times.maxAgeMs : Number.POSITIVE_INFINITY
  // A verification costs several times what a hash does, with public keys far more. The hash is kept, never the token (R28).
  const known = new LRUCache<string, { identity: Identity; until: number }>({ max: cacheSize })

  async function check(token: string): Promise<Identity> {
    refuseHeader(token, takesKeyId)
    const payload = await read(token, {
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(now()),
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience.length === 0 ? {} : { audience: [...audience] }),
    })
    return identityOf(payload)
  }

  return {
    async verify(token) {
      if (typeof token !== 'string') throw new TokenError('not_a_token')
      if (token.length > LONGEST_TOKEN) throw new TokenError('too_long')
      const hash = createHash('sha256').update(token).digest('base64')
      const remembered = known.get(hash)
      if (remembered && remembered.until > now()) return remembered.identity
      known.delete(hash)
      const identity = await check(token).catch((error: unknown) => {
        throw asTokenError(error)
      })
      if (identity.expiresAt <= now()) throw new TokenError('expired')
      known.set(hash, { identity, until: Math.min(identity.expiresAt, now() + longestTrust) })
      return identity
    },
    size: () => known.size,
  }
}

interface Signature {
  /** The claims of a token, both it and they in order. */
  read(token: string, claims: JWTClaimVerificationOptions): JWTPayload | Promise<JWTPayload>
  /** A shared secret has no id, so a token that names one means another key. */
  takesKeyId: boolean
}

function signatureOf(
  { secret, jwksUrl, logger }: VerifierOptions,
  times: KeySourceTimes,
  now: () => number,
): Signature {
  if (secret !== undefined && jwksUrl === undefined) return { read: sharedSecret(secret), takesKeyId: false }
  if (jwksUrl === undefined || secret !== undefined) throw new TypeError('give either secret or jwksUrl')
  const key = createKeySource(jwksUrl, { ...times, now, logger })
  const algorithms = ['RS256', 'ES256', 'EdDSA', 'Ed25519']
  return {
    read: async (token, claims) => (await jwtVerify(token, key, { ...claims, algorithms })).payload,
    takesKeyId: true,
  }
}

function refuseHeader(token: string, takesKeyId: boolean): void {
  const header: ProtectedHeaderParameters = decodeProtectedHeader(token)
  if (FOREIGN_KEYS.some((name) => Object.hasOwn(header, name))) throw new TokenError('header')
  if (header.typ !== undefined && !isAccessToken(header.typ)) throw new TokenError('type')
  if (header.kid !== undefined && !takesKeyId) throw new TokenError('unknown_key')
}

function isAccessToken(typ: unknown): boolean {
  return typeof typ === 'string' && TYPES.has(typ.toLowerCase().replace(/^application\//, ''))
}

const CLAIM_FAULTS: Readonly<Record<string, TokenFault>> = {
  exp: 'expiry',
  nbf: 'not_yet_valid',
  iss: 'issuer',
  aud: 'audience',
}

/** jose's errors carry the claims, so they go no further than here. */
function asTokenError(error: unknown): TokenError {
  if (error instanceof TokenError) return error
  if (error instanceof errors.JWTExpired) return new TokenError('expired')
  if (error instanceof errors.JWTClaimValidationFailed) return new TokenError(CLAIM_FAULTS[error.claim] ?? 'claims')
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenError('signature')
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return new TokenError('algorithm')
  if (error instanceof errors.JWKSMultipleMatchingKeys) return new TokenError('unknown_key')
  return new TokenError('not_a_token')
}
