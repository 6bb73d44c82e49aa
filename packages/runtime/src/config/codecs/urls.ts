import { isIP } from 'node:net'
import { z } from 'zod'
import type { Codec } from '../setting.ts'

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** An address of the web: http or https, and no user, password or fragment in it. */
export const webUrl: Codec<URL> = url('must be a URL such as https://chat.example.com', isPlainWebUrl)

/** As webUrl, but plain http only to this machine: what comes back from there is trusted. */
export const secureUrl: Codec<URL> = url(
  'must be an https URL (http is for loopback addresses only)',
  (parsed) => isPlainWebUrl(parsed) && (parsed.protocol === 'https:' || isLoopback(parsed)),
)

/** Scheme, host and port exactly as a browser sends them in `Origin`: no path, no wildcard, no `null`. */
export const origin: Codec<string> = z
  .string()
  .refine(isOrigin, 'must be an origin such as https://www.example.com, without a path or a closing slash')

export const host: Codec<string> = z
  .string()
  .refine(
    (raw) => isIP(raw) !== 0 || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(raw),
    'must be an address or a host name',
  )

function url(message: string, allowed: (parsed: URL) => boolean): Codec<URL> {
  return z
    .string()
    .refine((raw) => URL.canParse(raw) && allowed(new URL(raw)), message)
    .transform((raw) => new URL(raw))
}

function isPlainWebUrl(parsed: URL): boolean {
  const web = parsed.protocol === 'https:' || parsed.protocol === 'http:'
  return web && parsed.username === '' && parsed.password === '' && parsed.hash === ''
}

function isLoopback(parsed: URL): boolean {
  return LOOPBACK.has(parsed.hostname)
}

function isOrigin(raw: string): boolean {
  return /^https?:\/\/[^*]+$/.test(raw) && URL.canParse(raw) && new URL(raw).origin === raw
}
