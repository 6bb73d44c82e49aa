import { generateKeyPairSync, sign } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createVerifier, signToken, TokenError, type VerifierOptions } from '../../src/index.ts'
import { STRONG_SECRET } from '../support.ts'
import { forge, goodClaims, goodHeader, inSeconds } from './tokens.ts'

const verifier = (options: Partial<VerifierOptions> = {}) => createVerifier({ secret: STRONG_SECRET, ...options })

async function refusal(
  token: string,
  options: Partial<VerifierOptions> = {},
): Promise<{ code: string; fault: string }> {
  try {
    await verifier(options).verify(token)
  } catch (error) {
    if (error instanceof TokenError) return { code: error.code, fault: error.fault }
    throw error
  }
  throw new Error('the token was accepted')
}

describe('a good token', () => {
  it('tells who speaks', async () => {
    const token = await signToken({
      secret: STRONG_SECRET,
      userId: 'alice',
      name: 'Alice',
      roles: ['admin'],
      ttlMs: 60_000,
    })
    expect(await verifier().verify(token)).toEqual({
      userId: 'alice',
      name: 'Alice',
      roles: ['admin'],
      expiresAt: expect.closeTo(Date.now() + 60_000, -4),
    })
  })

  it.each([
    ['no roles', {}, ['user']],
    ['roles of other applications', { roles: ['billing', 42, null] }, ['user']],
    ['roles among others', { roles: ['billing', 'chat_admin', 'user'] }, ['user', 'chat_admin']],
    ['a role twice', { roles: ['admin', 'admin'] }, ['admin']],
  ])('with %s has these roles', async (_, claims, roles) => {
    const identity = await verifier().verify(forge(goodHeader, { ...goodClaims(), ...claims }))
    expect(identity.roles).toEqual(roles)
  })

  it.each([
    ['user_id in place of sub', { sub: undefined, user_id: 'bob' }, 'bob'],
    ['sub before user_id', { sub: 'alice', user_id: 'bob' }, 'alice'],
    ['an e-mail address', { sub: 'alice@example.com' }, 'alice@example.com'],
    ['128 bytes', { sub: 'é'.repeat(64) }, 'é'.repeat(64)],
  ])('with %s names its user', async (_, claims, userId) => {
    expect(await verifier().verify(forge(goodHeader, { ...goodClaims(), ...claims }))).toMatchObject({ userId })
  })

  it.each([
    ['control characters and line breaks', 'A\u0000l\r\ni\u001bce  B', 'Al ice B'],
    ['marks that turn the direction of writing', '\u202eecilA\u2066', 'ecilA'],
    ['more than 100 characters', '🙂'.repeat(150), '🙂'.repeat(100)],
    ['nothing but blanks', ' \n ', undefined],
    ['no text at all', { $gt: '' }, undefined],
  ])('has a name that can be shown: %s', async (_, name, shown) => {
    const identity = await verifier().verify(forge(goodHeader, { ...goodClaims(), name }))
    expect(identity.name).toBe(shown)
  })

  it('cannot be changed by one who was given its identity', async () => {
    const identity = await verifier().verify(forge(goodHeader, goodClaims()))
    expect(Object.isFrozen(identity) && Object.isFrozen(identity.roles)).toBe(true)
  })

  it('may have been made by a clock that is a few seconds ahead', async () => {
    const token = forge(goodHeader, { ...goodClaims(), nbf: inSeconds(3) })
    await expect(verifier().verify(token)).resolves.toMatchObject({ userId: 'alice' })
  })
})

describe('a token is refused', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const unsigned = (header: object) => `${forge(header, goodClaims()).split('.').slice(0, 2).join('.')}.`
  const rs256 = () => {
    const [header, payload] = forge({ alg: 'RS256', typ: 'JWT' }, goodClaims()).split('.')
    return `${header}.${payload}.${sign('sha256', Buffer.from(`${header}.${payload}`), privateKey).toString('base64url')}`
  }
  const jwk = { kty: 'oct', k: Buffer.from('attacker').toString('base64url') }
  const with_ = (header: object, claims: object = {}, key?: string) =>
    forge({ ...goodHeader, ...header }, { ...goodClaims(), ...claims }, key)

  it.each([
    ['alg none', () => unsigned({ alg: 'none' }), 'algorithm'],
    ['alg None', () => unsigned({ alg: 'None' }), 'algorithm'],
    ['alg none with the signature of HS256', () => with_({ alg: 'none' }), 'algorithm'],
    ['no alg', () => with_({ alg: undefined }), 'algorithm'],
    ['alg that is a list', () => with_({ alg: ['HS256'] }), 'algorithm'],
    ['HS256 without a signature', () => unsigned(goodHeader), 'signature'],
    ['HS512', () => forge({ alg: 'HS512' }, goodClaims(), STRONG_SECRET, 'sha512'), 'algorithm'],
    ['RS256 where a secret is used', rs256, 'algorithm'],
    ['another secret', () => with_({}, {}, 'another secret of the right length ....'), 'signature'],
    ['an empty secret', () => with_({}, {}, ''), 'signature'],
    ['the public key as secret', () => with_({}, {}, pem), 'signature'],
    [
      'changed claims',
      () => with_({}).replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"bob","exp":9999999999}').toString('base64url')}.`),
      'signature',
    ],
    ['jku', () => with_({ jku: 'https://evil.example/keys' }), 'header'],
    ['jwk', () => with_({ jwk }, {}, 'attacker'), 'header'],
    ['x5u', () => with_({ x5u: 'https://evil.example/cert' }), 'header'],
    ['x5c', () => with_({ x5c: ['MIIB'] }), 'header'],
    ['a kid, which a secret does not have', () => with_({ kid: 'k1' }), 'unknown_key'],
    ['a kid that is a path', () => with_({ kid: '../../dev/null' }, {}, ''), 'unknown_key'],
    ['a critical extension that is not known', () => with_({ crit: ['exp2'], exp2: 1 }), 'algorithm'],
    ['an unencoded payload', () => with_({ crit: ['b64'], b64: false }), 'algorithm'],
    ['a signature with something behind it', () => `${with_({})}=`, 'signature'],
    ['typ of an id token', () => with_({ typ: 'id_token+jwt' }), 'type'],
    ['typ of a logout token', () => with_({ typ: 'logout+jwt' }), 'type'],
    ['typ dpop', () => with_({ typ: 'dpop+jwt' }), 'type'],
    ['typ that is no text', () => with_({ typ: { $gt: '' } }), 'type'],
    ['no exp', () => with_({}, { exp: undefined }), 'expiry'],
    ['exp as text', () => with_({}, { exp: '9999999999' }), 'expiry'],
    ['exp null', () => with_({}, { exp: null }), 'expiry'],
    ['nbf ahead', () => with_({}, { nbf: inSeconds(60) }), 'not_yet_valid'],
    ['nbf as text', () => with_({}, { nbf: 'now' }), 'not_yet_valid'],
    ['iat as text', () => with_({}, { iat: 'now' }), 'claims'],
    ['no subject', () => with_({}, { sub: undefined }), 'subject'],
    ['an empty subject', () => with_({}, { sub: '' }), 'subject'],
    ['an empty subject beside user_id', () => with_({}, { sub: '', user_id: 'bob' }), 'subject'],
    ['a subject of 129 bytes', () => with_({}, { sub: 'a'.repeat(129) }), 'subject'],
    ['a subject that is an operator', () => with_({}, { sub: { $gt: '' } }), 'subject'],
    ['a subject that is a number', () => with_({}, { sub: 42 }), 'subject'],
    ['a subject with NUL', () => with_({}, { sub: 'a\u0000b' }), 'subject'],
    ['a subject with a line break', () => with_({}, { sub: 'a\nb' }), 'subject'],
    [
      'a subject with half a character',
      () => forge(goodHeader, `{"sub":"a\\ud800","exp":${inSeconds(60)}}`),
      'subject',
    ],
    ['roles that are no list', () => with_({}, { roles: 'admin' }), 'claims'],
    ['claims that are a list', () => forge(goodHeader, []), 'not_a_token'],
    ['claims that are no JSON', () => forge(goodHeader, '{'), 'not_a_token'],
    ['a header that is no JSON', () => forge('{', goodClaims()), 'not_a_token'],
    ['two parts', () => with_({}).split('.').slice(0, 2).join('.'), 'not_a_token'],
    ['five parts', () => `${with_({})}.a.b`, 'not_a_token'],
    ['nothing', () => '', 'not_a_token'],
    ['more than 8 KiB', () => with_({}, { filler: 'x'.repeat(8192) }), 'too_long'],
  ])('%s', async (_, token, fault) => {
    expect(await refusal(token())).toEqual({ code: 'unauthorized', fault })
  })

  it.each([
    ['JWT', true],
    ['jwt', true],
    ['at+jwt', true],
    ['application/at+jwt', true],
    ['application/jwt', true],
    [undefined, true],
    ['', false],
    ['text/jwt', false],
    ['JWE', false],
  ])('or not by its typ: %s', async (typ, accepted) => {
    const result = verifier().verify(with_({ typ }))
    await (accepted ? expect(result).resolves.toBeDefined() : expect(result).rejects.toMatchObject({ fault: 'type' }))
  })

  it.each([
    ['the issuer', { iss: 'https://id.example', aud: 'chat' }, undefined],
    ['one audience of several', { iss: 'https://id.example', aud: ['shop', 'chat'] }, undefined],
    ['another issuer', { iss: 'https://id.example.evil', aud: 'chat' }, 'issuer'],
    ['no issuer', { aud: 'chat' }, 'issuer'],
    ['another audience', { iss: 'https://id.example', aud: 'shop' }, 'audience'],
    ['no audience', { iss: 'https://id.example' }, 'audience'],
    ['an audience that contains ours', { iss: 'https://id.example', aud: 'chatroom' }, 'audience'],
  ])('or not by iss and aud, where they are configured: %s', async (_, claims, fault) => {
    const options = { issuer: 'https://id.example', audience: ['chat', 'support'] }
    if (fault) expect(await refusal(with_({}, claims), options)).toEqual({ code: 'unauthorized', fault })
    else await expect(verifier(options).verify(with_({}, claims))).resolves.toBeDefined()
  })

  it.each([
    ['a second ago', -1],
    ['now', 0],
    ['long ago', -1e9],
  ])('as expired when it ended %s', async (_, seconds) => {
    expect(await refusal(with_({}, { exp: inSeconds(seconds) }))).toEqual({ code: 'token_expired', fault: 'expired' })
  })

  it('as unauthorized, not as expired, when it is expired and signed by somebody else', async () => {
    expect(await refusal(with_({}, { exp: 1 }, 'another secret of the right length ....'))).toMatchObject({
      code: 'unauthorized',
    })
  })

  it('with a sentence that holds nothing of it', async () => {
    const error = await verifier()
      .verify(with_({}, { sub: 'canary-user', nbf: inSeconds(60) }))
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TokenError)
    expect(error).toMatchObject({ message: 'Please sign in.' })
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('canary')
  })

  it('or accepted, but never anything else, whatever it is', async () => {
    const verify = verifier().verify
    const parts = fc.array(
      fc.oneof(
        fc.base64String(),
        fc.json().map((json) => Buffer.from(json).toString('base64url')),
      ),
      { maxLength: 5 },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          parts.map((list) => list.join('.')),
        ),
        async (token) => {
          await expect(verify(token)).rejects.toBeInstanceOf(TokenError)
        },
      ),
    )
  })
})

describe('verified tokens', () => {
  it('are remembered until they expire, and not a moment longer', async () => {
    let now = Date.now()
    const { verify, size } = verifier({ now: () => now })
    const token = forge(goodHeader, { sub: 'alice', exp: Math.floor(now / 1000) + 60 })
    const first = await verify(token)
    expect(await verify(token)).toBe(first)
    expect(size()).toBe(1)
    now = first.expiresAt - 1
    expect(await verify(token)).toBe(first)
    now = first.expiresAt
    await expect(verify(token)).rejects.toMatchObject({ code: 'token_expired' })
    expect(size()).toBe(0)
  })

  it('are bounded in number', async () => {
    const { verify, size } = verifier({ cacheSize: 3 })
    for (let i = 0; i < 10; i++) await verify(forge(goodHeader, { ...goodClaims(), jti: i }))
    expect(size()).toBe(3)
  })

  it('do not include refused ones', async () => {
    const { verify, size } = verifier()
    await expect(verify(forge(goodHeader, goodClaims(), 'wrong'))).rejects.toThrow()
    expect(size()).toBe(0)
  })

  it('with an end beyond all dates have one that a timer can be told', async () => {
    const { expiresAt } = await verifier().verify(forge(goodHeader, { sub: 'alice', exp: 1e300 }))
    expect(Number.isFinite(new Date(expiresAt).getTime())).toBe(true)
  })
})

describe('a verifier', () => {
  it.each([
    ['neither a secret nor public keys', {}],
    ['both', { secret: STRONG_SECRET, jwksUrl: new URL('https://id.example/keys') }],
  ])('is refused with %s', (_, options) => expect(() => createVerifier(options)).toThrow('either secret or jwksUrl'))
})
