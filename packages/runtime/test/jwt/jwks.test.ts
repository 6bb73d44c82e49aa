import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createVerifier, type Verifier, type VerifierOptions } from '../../src/index.ts'
import { readableLogger } from '../support.ts'
import { forge, goodClaims } from './tokens.ts'

interface Pair {
  alg: string
  kid: string
  privateKey: CryptoKey
  publicKey: CryptoKey
  jwk: JWK
}

async function pair(alg: string, kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

const tokenOf = ({ alg, kid, privateKey }: Pair, header: object = {}) =>
  new SignJWT({})
    .setProtectedHeader({ alg, kid, ...header })
    .setSubject('alice')
    .setExpirationTime('7d')
    .sign(privateKey)

const MINUTE = 60_000

let rsa: Pair
let ec: Pair
let ed: Pair
let rotated: Pair

beforeAll(async () => {
  ;[rsa, ec, ed, rotated] = await Promise.all([
    pair('RS256', 'r1'),
    pair('ES256', 'e1'),
    pair('EdDSA', 'd1'),
    pair('RS256', 'r2'),
  ])
})

describe('public keys', () => {
  let fetches: number
  let respond: (response: ServerResponse) => void
  let keys: JWK[]
  let now: number
  let url: URL
  let close: () => void
  const log = readableLogger()

  beforeEach(async () => {
    fetches = 0
    now = Date.now()
    keys = [rsa.jwk, ec.jwk, ed.jwk]
    respond = (response) => response.end(JSON.stringify({ keys }))
    const server = createServer((_, response) => {
      fetches++
      respond(response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    // Listening on a port, so the address has one.
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`)
    close = () => {
      server.close()
      server.closeAllConnections()
    }
  })
  afterEach(() => close())

  const verifier = (options: Partial<VerifierOptions> = {}): Verifier =>
    createVerifier({ jwksUrl: url, now: () => now, logger: log.logger, cacheSize: 1, ...options })
  const down = (response: ServerResponse) => response.writeHead(500).end()

  it.each([
    ['RS256', () => rsa],
    ['ES256', () => ec],
    ['EdDSA', () => ed],
  ])('verify %s', async (_, key) => {
    await expect(verifier().verify(await tokenOf(key()))).resolves.toMatchObject({ userId: 'alice' })
  })

  it('are fetched once for many tokens at the same time', async () => {
    const { verify } = verifier()
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => tokenOf(i % 2 ? rsa : ec, { typ: 'JWT' })))
    await Promise.all(tokens.map((token) => verify(token)))
    expect(fetches).toBe(1)
  })

  it('do not verify HS256 made with the public key as secret', async () => {
    const pem = await exportSPKI(rsa.publicKey)
    for (const secret of [pem, pem.trim(), JSON.stringify(rsa.jwk), rsa.jwk.n ?? '']) {
      const token = forge({ alg: 'HS256', kid: 'r1' }, goodClaims(), secret)
      await expect(verifier().verify(token)).rejects.toMatchObject({ code: 'unauthorized', fault: 'algorithm' })
    }
    await expect(verifier().verify(forge({ alg: 'none', kid: 'r1' }, goodClaims()))).rejects.toMatchObject({
      fault: 'algorithm',
    })
  })

  it('are taken from the configured address only, never from one in a token', async () => {
    const evil = await pair('RS256', 'evil')
    const { verify } = verifier()
    for (const header of [{ jku: url.href }, { x5u: url.href }, { jwk: evil.jwk }, { x5c: ['MIIB'] }]) {
      await expect(verify(await tokenOf(evil, header))).rejects.toMatchObject({ code: 'unauthorized', fault: 'header' })
    }
    expect(fetches).toBe(0)
  })

  it.each(['unknown', '../../../etc/passwd', 'https://evil.example/key', "' OR 1=1 --", ''])(
    'do not verify a token of kid %j',
    async (kid) => {
      await expect(verifier().verify(await tokenOf(rsa, { kid }))).rejects.toMatchObject({ fault: 'unknown_key' })
    },
  )

  it('do not verify a token that one of them signed under the id of another', async () => {
    await expect(verifier().verify(await tokenOf(rotated, { kid: 'r1' }))).rejects.toMatchObject({ fault: 'signature' })
  })

  it('are asked for a new one after a pause, not for each token that names an unknown one', async () => {
    const { verify } = verifier()
    await verify(await tokenOf(rsa))
    keys = [rsa.jwk, rotated.jwk]
    const token = await tokenOf(rotated)
    for (let i = 0; i < 5; i++) await expect(verify(token)).rejects.toMatchObject({ fault: 'unknown_key' })
    expect(fetches).toBe(1)
    now += 31_000
    await expect(verify(token)).resolves.toBeDefined()
    expect(fetches).toBe(2)
  })

  it('serve on while the issuer is out of reach, and are fetched when it is back', async () => {
    const { verify } = verifier()
    await verify(await tokenOf(rsa))
    respond = down
    now += 11 * MINUTE
    await expect(verify(await tokenOf(ec))).resolves.toBeDefined()
    await expect.poll(() => log.messages()).toContain('keys of tokens could not be fetched')
    expect(fetches).toBe(2)
    keys = [rotated.jwk]
    respond = (response) => response.end(JSON.stringify({ keys }))
    now += MINUTE
    await expect(verify(await tokenOf(rotated))).resolves.toBeDefined()
    await expect(verify(await tokenOf(ed))).rejects.toMatchObject({ fault: 'unknown_key' })
  })

  it('stop serving when the issuer has been out of reach for a day', async () => {
    const { verify } = verifier({ now: () => now })
    await verify(await tokenOf(rsa))
    respond = down
    now += 25 * 60 * MINUTE
    const lasting = new SignJWT({})
      .setProtectedHeader({ alg: 'RS256', kid: 'r1' })
      .setSubject('alice')
      .setExpirationTime('7d')
    await expect(verify(await lasting.sign(rsa.privateKey))).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('do not verify a remembered token long after its key was withdrawn', async () => {
    const { verify } = verifier({ cacheSize: 10 })
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'RS256', kid: 'r1' })
      .setSubject('alice')
      .setExpirationTime('1h')
      .sign(rsa.privateKey)
    await verify(token)
    keys = [rotated.jwk]
    now += 11 * MINUTE
    await verify(token)
    // Waits for the fetch that the line above has begun.
    await verify(await tokenOf(rotated))
    expect(fetches).toBe(2)
    now += 11 * MINUTE
    await expect(verify(token)).rejects.toMatchObject({ fault: 'unknown_key' })
  })

  it.each([
    ['an error', down],
    [
      'a redirect',
      (response: ServerResponse) => response.writeHead(302, { location: url.href.replace('/keys', '/other') }).end(),
    ],
    ['no JSON', (response: ServerResponse) => response.end('<html>')],
    ['no key set', (response: ServerResponse) => response.end('{"keys":"none"}')],
    ['too much', (response: ServerResponse) => response.end(JSON.stringify({ keys, filler: 'x'.repeat(300_000) }))],
    ['nothing', (response: ServerResponse) => response.destroy()],
    ['no end', (response: ServerResponse) => response.write('{')],
  ])(
    'that cannot be fetched make a token unavailable, not unauthorized, and are not asked for again at once: %s',
    async (_, answer) => {
      respond = answer
      const { verify } = verifier({ jwksTimes: { timeoutMs: 100 } })
      const token = await tokenOf(rsa)
      for (let i = 0; i < 3; i++)
        await expect(verify(token)).rejects.toMatchObject({ code: 'unavailable', retryable: true })
      expect(fetches).toBe(1)
    },
  )

  it('that are symmetric are no public keys', async () => {
    keys = [{ kty: 'oct', kid: 'r1', k: Buffer.from('shared').toString('base64url') }]
    await expect(verifier().verify(await tokenOf(rsa))).rejects.toMatchObject({ fault: 'unknown_key' })
  })
})
