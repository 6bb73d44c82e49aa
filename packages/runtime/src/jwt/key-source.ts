import { type CryptoKey, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose'
import type { Logger } from '../log/logger.ts'
import { TokenError } from './errors.ts'

export interface KeySourceTimes {
  /** Keys older than this are fetched again; until that succeeds the old ones serve. */
  maxAgeMs: number
  /** Old keys stop serving after this: a withdrawn key must not live as long as the issuer is out of reach. */
  maxStaleMs: number
  /** The shortest time between two fetches, so that tokens with made-up key ids cause no storm. */
  cooldownMs: number
  timeoutMs: number
}

export const keySourceTimes: KeySourceTimes = {
  maxAgeMs: 10 * 60_000,
  maxStaleMs: 24 * 3_600_000,
  cooldownMs: 30_000,
  timeoutMs: 5000,
}

interface KeySourceOptions extends KeySourceTimes {
  now: () => number
  logger?: Logger | undefined
}

const LARGEST_KEY_SET = 256 * 1024

/**
 * Public keys from one configured address. jose fetches (one request at a time, redirects refused) and picks the key;
 * when to fetch is decided here, because jose drops old keys when a fetch fails and counts no pause after a failure.
 */
export function createKeySource(url: URL, options: KeySourceOptions): JWTVerifyGetKey {
  const { maxAgeMs, maxStaleMs, cooldownMs, timeoutMs, now, logger } = options
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: timeoutMs,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
    [customFetch]: fetchBounded,
  })
  let loadedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY

  const age = () => now() - loadedAt
  const mayFetch = () => remote.reloading || now() - triedAt >= cooldownMs

  async function load(): Promise<boolean> {
    if (!remote.reloading) triedAt = now()
    try {
      await remote.reload()
      loadedAt = now()
      return true
    } catch (err) {
      logger?.warn({ err, ageMs: Number.isFinite(age()) ? age() : null }, 'keys of tokens could not be fetched')
      return false
    }
  }

  async function find(...token: Parameters<JWTVerifyGetKey>): Promise<CryptoKey | undefined> {
    try {
      return await remote(...token)
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined
      throw error
    }
  }

  return async (header, token) => {
    if (age() > maxStaleMs && !(mayFetch() && (await load()))) throw new TokenError('keys_unavailable')
    // Nobody waits for this one: the keys at hand are still good.
    else if (age() > maxAgeMs && mayFetch()) void load()
    const key = await find(header, token)
    if (key) return key
    if (mayFetch() && !(await load())) throw new TokenError('keys_unavailable')
    const fetched = await find(header, token)
    if (fetched) return fetched
    throw new TokenError(triedAt > loadedAt ? 'keys_unavailable' : 'unknown_key')
  }
}

async function fetchBounded(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > LARGEST_KEY_SET) throw new errors.JWKSInvalid('The key set is too large')
    chunks.push(chunk)
  }
  return new Response(Buffer.concat(chunks), { status: response.status })
}
