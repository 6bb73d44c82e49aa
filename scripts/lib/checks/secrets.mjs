import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesOf } from './files.mjs'

/** Shapes that nothing but a key has. */
const SHAPES = [
  { what: 'a private key', shape: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/ },
  { what: "a provider's API key", shape: /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{24,}/ },
  { what: 'an access key of a cloud', shape: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}\b/ },
  {
    what: 'an access token of a code host',
    shape: /\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{40,}|\bglpat-[\w-]{20,}/,
  },
  { what: 'a token of a chat service', shape: /\bxox[abprs]-[A-Za-z0-9-]{20,}/ },
  { what: 'a signed token', shape: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/ },
  {
    what: 'a password in an address',
    shape: /\b[a-z][a-z+]*:\/\/[^\s:@/'"`$<{]+:[^\s:@/'"`$<{]{8,}@(?!localhost|127\.)/,
  },
]

/** A name that says secret, and something long and without spaces given to it. */
const ASSIGNED = /(?:KEY|SECRET|TOKEN|PASSWORD|PASSWD)\w*["'`]?\s*[:=]\s*["'`]?([A-Za-z0-9+/_=-]{24,})/gi

/** Integrity hashes of a lockfile are as random as keys, and are none. */
const NOT_READ = /(?:^|\/)pnpm-lock\.yaml$|\.(?:png|jpe?g|gif|webp|ico|woff2?)$/

/** On a line that shows what a secret looks like (in a test, say), this tells a reader and the scan that it is none. */
const NOT_ONE = 'not a secret'

/** Nothing that opens anything is committed (X8). @type {import('./check.mjs').Check} */
export const secrets = {
  name: 'Secrets in files',
  async faults(root) {
    const files = (await filesOf(root)).filter((file) => !NOT_READ.test(file))
    return files.flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => {
          const what = line.includes(NOT_ONE) ? undefined : secretIn(line)
          // The value itself stays out: what is printed here ends up in logs.
          return what
            ? [`${file}:${index + 1} looks like ${what}; if it is none, say "${NOT_ONE}" in a comment on that line`]
            : []
        }),
    )
  },
}

/** @param {string} line */
function secretIn(line) {
  const shape = SHAPES.find((known) => known.shape.test(line))
  if (shape) return shape.what
  for (const [, value = ''] of line.matchAll(ASSIGNED)) if (looksRandom(value)) return 'a key that a name is given'
  return undefined
}

/**
 * Names and words repeat their letters; 24 random characters of base64 carry more than 4 bits each, and of hex about 3.5.
 * @param {string} value
 */
function looksRandom(value) {
  if (!/\d/.test(value) || !/[A-Za-z]/.test(value)) return false
  const counts = new Map()
  for (const char of value) counts.set(char, (counts.get(char) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length)
  return bits > (/^[0-9a-f]+$/i.test(value) ? 3 : 3.9)
}
