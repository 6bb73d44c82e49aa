import { createHash } from 'node:crypto'

/** A script that a server runs in one step. */
export interface Script {
  readonly name: string
  readonly lua: string
  readonly sha: string
}

const all: Script[] = []

/** Every connection loads what was defined, so a script is known before it is called. */
export function script(name: string, ...lua: readonly string[]): Script {
  const text = lua.join('\n')
  const made: Script = { name, lua: text, sha: createHash('sha1').update(text).digest('hex') }
  all.push(made)
  return made
}

export const allScripts = (): readonly Script[] => all

export type Argument = string | number | Uint8Array

/** What Redis answers: bytes for texts. */
export type Reply = Buffer | number | null | Reply[]

export const textOf = (reply: Reply | undefined): string => {
  if (Buffer.isBuffer(reply)) return reply.toString('utf8')
  if (typeof reply === 'number') return String(reply)
  throw new TypeError('a script answered with something else than a text')
}

export const numberOf = (reply: Reply | undefined): number => {
  const number = typeof reply === 'number' ? reply : Number(textOf(reply))
  if (!Number.isFinite(number)) throw new TypeError('a script answered with something else than a number')
  return number
}

export const listOf = (reply: Reply | undefined): Reply[] => {
  if (Array.isArray(reply)) return reply
  throw new TypeError('a script answered with something else than a list')
}

export const bytesOf = (reply: Reply | undefined): Buffer => {
  if (Buffer.isBuffer(reply)) return reply
  throw new TypeError('a script answered with something else than bytes')
}
