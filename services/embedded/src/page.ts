import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { HttpRequest, HttpResponse } from '@chatbox/edge'

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const

/** Nothing may be loaded but what this service serves, and nobody may frame the page (security 37). */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

/** The page, read once. */
export function page(folder: URL): (request: HttpRequest) => HttpResponse | undefined {
  const files = new Map(
    Object.entries(FILES).map(([path, [file, type]]) => {
      const body = readFileSync(new URL(file, folder))
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
      return [path, { body, type, etag }] as const
    }),
  )
  return ({ method, url, headers }) => {
    const file = files.get(url.split('?', 1)[0] ?? '')
    if (!file || (method !== 'GET' && method !== 'HEAD')) return undefined
    const common = {
      etag: file.etag,
      'cache-control': 'no-cache',
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    }
    if (headers['if-none-match'] === file.etag) return { status: 304, headers: common, body: '' }
    return { status: 200, headers: { ...common, 'content-type': file.type }, body: method === 'HEAD' ? '' : file.body }
  }
}
