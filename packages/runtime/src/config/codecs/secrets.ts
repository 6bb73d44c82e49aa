import { z } from 'zod'
import type { Codec } from '../setting.ts'
import { monotony, weakness } from './weakness.ts'

export const SECRET_ADVICE = 'make one with: openssl rand -base64 48'
export const KEY_ADVICE = 'make one with: openssl rand -base64 32'

const KEY_BYTES = 32

/** A shared secret of at least `min` characters that is no placeholder (X2). */
export function strongSecret(min: number): Codec<string> {
  return z.string().superRefine((raw, context) => {
    const fault = raw.length < min ? `must have at least ${min} characters` : weakness(raw)
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `${fault}; ${SECRET_ADVICE}` })
  })
}

/** Base64 of exactly 32 random bytes. */
export const key32: Codec<Buffer> = z.string().transform((raw, context) => {
  const key = Buffer.from(raw.trim(), 'base64')
  const fault = keyFault(raw.trim(), key)
  if (fault === undefined) return key
  context.addIssue({ code: 'custom', message: `${fault}; ${KEY_ADVICE}` })
  return z.NEVER
})

function keyFault(raw: string, key: Buffer): string | undefined {
  // Buffer.from skips what is not base64; writing it again shows whether anything was skipped.
  if (key.length !== KEY_BYTES || key.toString('base64') !== raw) return 'must be base64 of exactly 32 bytes'
  const spelled = key.toString('latin1')
  return /^[\x20-\x7e]+$/.test(spelled) ? weakness(spelled) : monotony(spelled)
}

export interface NamedKey {
  readonly id: string
  readonly key: Buffer
}

/** `id:base64,id:base64`; the first is the current one. */
export const keyRing: Codec<NamedKey[]> = z.string().transform((raw, context) => {
  const keys: NamedKey[] = []
  const refuse = (place: number, message: string) => context.addIssue({ code: 'custom', message, path: [place] })
  for (const [place, part] of raw.split(',').entries()) {
    const [, id, encoded] = /^\s*([a-zA-Z0-9][a-zA-Z0-9_-]{0,31}):(.*?)\s*$/.exec(part) ?? []
    if (id === undefined || encoded === undefined) {
      refuse(place, 'must look like id:base64, the id of letters, digits, - and _')
      continue
    }
    const key = key32.safeParse(encoded)
    if (!key.success) refuse(place, key.error.issues[0]?.message ?? 'is no key')
    else if (keys.some((other) => other.id === id)) refuse(place, 'has an id that an earlier entry has')
    else if (keys.some((other) => other.key.equals(key.data))) refuse(place, 'has a key that an earlier entry has')
    else keys.push({ id, key: key.data })
  }
  return keys
})
