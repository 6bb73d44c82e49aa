import { logError } from './error.ts'

export const REDACTED = '[redacted]'

/** Names under which secrets, people's names and content travel, without case, `_` and `-`. */
const WITHHELD = new Set([
  ...['authorization', 'cookie', 'setcookie', 'credentials', 'jwt', 'key', 'keys', 'apikey', 'xapikey', 'privatekey'],
  ...['encryptionkey', 'encryptionkeys', 'hashkey', 'datakey', 'passphrase', 'email'],
  ...['name', 'nm', 'username', 'displayname', 'adminname', 'sessionname', 'title', 'claims'],
  ...['text', 'texts', 'content', 'body', 'payload', 'prompt', 'delta', 'frame', 'metadata', 'args', 'headers'],
])
const WITHHELD_ENDING = /(token|secret|password|apikey)$/

const DEEPEST = 6
const LONGEST_LIST = 100
const LONGEST_STRING = 4000
const MOST_VALUES = 1000

/** The fields of a log line without secrets and content, errors in their short form, bounded in size. */
export function clean(fields: object): Record<string, unknown> {
  return cleanObject(fields, DEEPEST, { left: MOST_VALUES })
}

interface Budget {
  left: number
}

function cleanObject(value: object, depth: number, budget: Budget): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries(value)) {
    if (budget.left-- <= 0) break
    cleaned[name] = isWithheld(name, entry) ? REDACTED : cleanValue(entry, depth - 1, budget)
  }
  return cleaned
}

/** Numbers and booleans under such a name are counts and flags (`token: 3`), never secrets. */
function isWithheld(name: string, value: unknown): boolean {
  if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) return false
  const plain = name.toLowerCase().replace(/[_-]/g, '')
  return WITHHELD.has(plain) || WITHHELD_ENDING.test(plain)
}

function cleanValue(value: unknown, depth: number, budget: Budget): unknown {
  if (typeof value === 'string') return value.length > LONGEST_STRING ? `${value.slice(0, LONGEST_STRING)}…` : value
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return logError(value)
  if (value instanceof Date) return value
  // A connection string has its password in front of the host, and a token may stand in the query.
  if (value instanceof URL) return `${value.protocol}//${value.host}${value.pathname}`
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`
  if (depth <= 0) return '[…]'
  if (!Array.isArray(value)) return cleanObject(value, depth, budget)
  return value.slice(0, LONGEST_LIST).map((entry) => (budget.left-- > 0 ? cleanValue(entry, depth - 1, budget) : '[…]'))
}
