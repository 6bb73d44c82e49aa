import { KEY_ADVICE, key32, keyRing, type NamedKey, SECRET_ADVICE, strongSecret } from '../codecs/secrets.ts'
import { secureUrl } from '../codecs/urls.ts'
import { list, text } from '../codecs/values.ts'
import { group } from '../group.ts'
import { type Setting, setting } from '../setting.ts'
import { FAULTY } from '../source.ts'

const SHORTEST_JWT_SECRET = 32

export interface JwtConfig {
  readonly secret: string | undefined
  readonly jwksUrl: URL | undefined
  readonly issuer: string | undefined
  readonly audience: readonly string[]
}

/**
 * JWT_SECRET or JWT_JWKS_URL, with JWT_ISSUER and JWT_AUDIENCE (X2).
 * `required: false` is for the embedded shape, which makes a secret of its own at its first start.
 */
export function jwt({ required = true }: { required?: boolean } = {}): Setting<JwtConfig> {
  return group(
    {
      secret: setting('JWT_SECRET', strongSecret(SHORTEST_JWT_SECRET), {
        about: 'Shared secret of HS256 tokens, at least 32 characters.',
        optional: true,
        secret: true,
      }),
      jwksUrl: setting('JWT_JWKS_URL', secureUrl, {
        about: 'Address of the public keys of RS256, ES256 or EdDSA tokens, in place of JWT_SECRET.',
        optional: true,
      }),
      issuer: setting('JWT_ISSUER', text, { about: 'The `iss` that tokens must have.', optional: true }),
      audience: setting('JWT_AUDIENCE', list(text), {
        about: 'Comma-separated; a token must have one of them as `aud`.',
        default: '',
      }),
    },
    ({ secret, jwksUrl }, source) => {
      if (secret !== undefined && jwksUrl !== undefined) {
        source.fault(
          'JWT_SECRET',
          'is set together with JWT_JWKS_URL; a secret left in place would still open every door',
        )
      }
      if (required && secret === undefined && jwksUrl === undefined) {
        source.fault('JWT_SECRET', `is missing, and so is JWT_JWKS_URL; one is needed (${SECRET_ADVICE})`)
      }
    },
  )
}

export interface EncryptionKeys {
  /** All of them open. */
  readonly keys: readonly NamedKey[]
  /** The one that seals, where it is not the first. */
  readonly currentId?: string
  /** Where the key stands, if it is not ENCRYPTION_KEYS: for whoever is told that it is the wrong one. */
  readonly setting?: 'ENCRYPTION_KEY'
}

/**
 * ENCRYPTION_KEY (id `k1`) or ENCRYPTION_KEYS, the first being current unless ENCRYPTION_KEY_CURRENT names another (X5, R28).
 * No keys when neither is set and none is required.
 */
export function encryptionKeys({ required = true }: { required?: boolean } = {}): Setting<EncryptionKeys> {
  const one = setting('ENCRYPTION_KEY', key32, {
    about: 'Key of stored texts: base64 of exactly 32 bytes; its id is k1.',
    optional: true,
    secret: true,
  })
  const several = setting('ENCRYPTION_KEYS', keyRing, {
    about: 'Several keys as id:base64,id:base64, in place of ENCRYPTION_KEY; the first one seals, all of them open.',
    optional: true,
    secret: true,
  })
  const current = setting('ENCRYPTION_KEY_CURRENT', text, {
    about:
      'Id of the key of ENCRYPTION_KEYS that seals, where it is not the first: for the time until all processes have a new one.',
    optional: true,
  })
  return {
    docs: [...one.docs, ...several.docs, ...current.docs],
    read(source) {
      const key = one.read(source)
      const keys = several.read(source)
      const currentId = current.read(source)
      if (key === FAULTY || keys === FAULTY || currentId === FAULTY) return FAULTY
      if (key !== undefined && keys !== undefined) {
        return source.fault('ENCRYPTION_KEY', 'is set together with ENCRYPTION_KEYS; keep one of the two')
      }
      if (key === undefined && keys === undefined && required) {
        return source.fault('ENCRYPTION_KEY', `is missing, and so is ENCRYPTION_KEYS; one is needed (${KEY_ADVICE})`)
      }
      const ring: EncryptionKeys =
        key === undefined ? { keys: keys ?? [] } : { keys: [{ id: 'k1', key }], setting: 'ENCRYPTION_KEY' }
      if (currentId === undefined) return ring
      return ring.keys.some(({ id }) => id === currentId)
        ? { ...ring, currentId }
        : source.fault('ENCRYPTION_KEY_CURRENT', 'must be the id of one of the keys that are set')
    },
  }
}

/**
 * HASH_KEY: keys the hashes that stand for users in Redis (R27). `required` where several processes share them: a hash key that follows
 * from the oldest encryption key changes when that one is dropped, and not everywhere at the same moment.
 */
export function hashKey(options: { required: true }): Setting<Buffer>
export function hashKey(options?: { required?: boolean }): Setting<Buffer | undefined>
export function hashKey({ required = false }: { required?: boolean } = {}): Setting<Buffer | undefined> {
  const about = 'Key of the hashes that stand for users in Redis: base64 of exactly 32 bytes.'
  return required
    ? setting('HASH_KEY', key32, { about, secret: true, missing: `is missing (${KEY_ADVICE})` })
    : setting('HASH_KEY', key32, { about, optional: true, secret: true })
}
