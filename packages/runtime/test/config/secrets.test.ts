import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codec, encryptionKeys, jwt, loadConfig } from '../../src/index.ts'
import { key32, STRONG_SECRET } from '../support.ts'

const secret = codec.strongSecret(32)

describe('a shared secret', () => {
  it.each([
    'changeme',
    'changemechangemechangemechangemechangeme',
    'change-me-change-me-please-change-me-1',
    'secretsecretsecretsecretsecretsecret',
    'this-is-a-placeholder-secret-key-for-the-jwt',
    'your-super-secret-jwt-key-change-in-production',
    'your-256-bit-secret-your-256-bit-secret',
    'example-secret-example-secret-example-1234',
    'EXAMPLE_JWT_SECRET_DO_NOT_USE_IN_PRODUCTION_123456',
    'replace-with-at-least-32-random-characters',
    '<a string of at least 32 random characters>',
    '$' + '{JWT_SECRET:?a secret of at least 32 characters}',
    '{{ .Values.jwt.secret.of.the.deployment }}',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'abababababababababababababababababababab',
    'aababbbaabaabbbbaababaaabbabbbabaabbaaab',
    '<paste it from the vault, folder jupiter, entry 9>',
    '1234567890123456789012345678901234567890',
    '0123456789abcdef0123456789abcdef',
    'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz',
    'k9Q2x7Lm4Vk9Q2x7Lm4Vk9Q2x7Lm4Vk9Q2x7Lm4V',
    'test-test-test-secret-for-dev-0123456789',
    'kP3vQ9xTzL1mW8nRb5yHc2dJf7gSa4u',
  ])('%s is refused', (raw) => expect(secret.safeParse(raw).success).toBe(false))

  it.each([STRONG_SECRET, 'correct horse battery staple and a lighthouse', '3f9a1c07e5b2d8464f0e9b7a2c5d1e83'])(
    '%s is accepted',
    (raw) => expect(secret.parse(raw)).toBe(raw),
  )

  it('made of 24 random bytes or more is always accepted', () => {
    for (let i = 0; i < 20_000; i++) {
      const bytes = randomBytes(24 + (i % 25))
      expect(secret.safeParse(bytes.toString('base64')).success).toBe(true)
      expect(secret.safeParse(bytes.toString('hex')).success).toBe(true)
    }
  })

  it('made of one piece repeated is always refused', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 20 }), fc.integer({ min: 2, max: 5 }), (piece, times) => {
        const repeated = piece.repeat(times * Math.ceil(32 / piece.length))
        expect(secret.safeParse(repeated).success).toBe(false)
      }),
    )
  })
})

describe('a key', () => {
  const good = key32(2).toString('base64')

  it('is 32 bytes in base64', () => expect(codec.key32.parse(good)).toEqual(key32(2)))

  it.each([
    ['31 bytes', key32(2).subarray(1).toString('base64')],
    [
      '33 bytes',
      Buffer.concat([key32(2), key32(3)])
        .subarray(0, 33)
        .toString('base64'),
    ],
    ['hexadecimal', key32(2).toString('hex')],
    ['without its padding', good.slice(0, -1)],
    ['with a blank inside', `${good.slice(0, 10)} ${good.slice(10)}`],
    ['zeros', Buffer.alloc(32).toString('base64')],
    ['one byte repeated', Buffer.alloc(32, 7).toString('base64')],
    ['a placeholder in base64', Buffer.from('changemechangemechangemechangeme').toString('base64')],
    ['words in base64', Buffer.from('this-is-the-example-key-32-bytes').toString('base64')],
  ])('is refused: %s', (_, raw) => expect(codec.key32.safeParse(raw).success).toBe(false))

  it('of 32 random bytes is always accepted', () => {
    for (let i = 0; i < 20_000; i++)
      expect(codec.key32.safeParse(randomBytes(32).toString('base64')).success).toBe(true)
  })
})

describe('a ring of keys', () => {
  const [a, b] = [key32(4).toString('base64'), key32(5).toString('base64')]
  const load = (env: Record<string, string>) => loadConfig(encryptionKeys(), env).config

  it('keeps its order, the first being current', () =>
    expect(load({ ENCRYPTION_KEYS: `k2:${a}, k1:${b}` })).toEqual({
      keys: [
        { id: 'k2', key: key32(4) },
        { id: 'k1', key: key32(5) },
      ],
    }))

  it('names another as the current one, until all processes have the first (R28)', () =>
    expect(load({ ENCRYPTION_KEYS: `k2:${a},k1:${b}`, ENCRYPTION_KEY_CURRENT: 'k1' }).currentId).toBe('k1'))

  it.each([
    ['of several', { ENCRYPTION_KEYS: `k2:${a},k1:${b}`, ENCRYPTION_KEY_CURRENT: 'k3' }],
    ['of one', { ENCRYPTION_KEY: a, ENCRYPTION_KEY_CURRENT: 'k2' }],
  ])('is refused when it has no key that is named as the current one: %s', (_, env) =>
    expect(() => load(env)).toThrow('ENCRYPTION_KEY_CURRENT: must be the id of one'),
  )

  it.each([
    ['an id twice', `k1:${a},k1:${b}`, 'entry 2 has an id'],
    ['a key twice', `k1:${a},k2:${a}`, 'entry 2 has a key'],
    ['a key without id', a, 'entry 1 must look like id:base64'],
    ['a short key', `k1:${a},k2:abcd`, 'entry 2 must be base64 of exactly 32 bytes'],
    ['a comma at its end', `k1:${a},`, 'entry 2 must look like'],
  ])('is refused with %s', (_, raw, fault) =>
    expect(() => load({ ENCRYPTION_KEYS: raw })).toThrow(`ENCRYPTION_KEYS: ${fault}`),
  )

  it('is refused together with a single key', () =>
    expect(() => load({ ENCRYPTION_KEYS: `k2:${a}`, ENCRYPTION_KEY: b })).toThrow('keep one of the two'))

  it('can be absent where keys are made at the first start', () =>
    expect(loadConfig(encryptionKeys({ required: false }), {}).config).toEqual({ keys: [] }))
})

describe('the settings of tokens', () => {
  it('refuse a secret beside public keys', () =>
    expect(() => loadConfig(jwt(), { JWT_SECRET: STRONG_SECRET, JWT_JWKS_URL: 'https://id.example/keys' })).toThrow(
      'JWT_SECRET: is set together with JWT_JWKS_URL',
    ))

  it('can do without either where a secret is made at the first start', () =>
    expect(loadConfig(jwt({ required: false }), {}).config.secret).toBeUndefined())
})
