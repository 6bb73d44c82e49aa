import { createHmac } from 'node:crypto'
import { STRONG_SECRET } from '../support.ts'

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A token made by hand, so that it can be wrong in ways that a library refuses to sign. */
export function forge(
  header: unknown,
  payload: unknown,
  key: string | Buffer = STRONG_SECRET,
  hash = 'sha256',
): string {
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
}

export const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

export const goodHeader = { alg: 'HS256', typ: 'JWT' }
export const goodClaims = () => ({ sub: 'alice', exp: inSeconds(600) })
