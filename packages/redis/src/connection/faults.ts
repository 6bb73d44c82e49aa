import { Unavailable } from '@chatbox/core'
import { ReplyError } from 'ioredis'

/** Redis said no before it did anything: what was asked has not happened. */
export class Refused extends Unavailable {
  readonly code: string

  constructor(code: string, cause: unknown) {
    super(`Redis refuses: ${code}`, { cause })
    this.code = code
  }
}

/** States of a server, and not faults of whoever asks. */
const STATES = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
  'ASK',
  'MOVED',
  'NOAUTH',
  'NOPERM',
  'UNBLOCKED',
  'WRONGPASS',
])

/** The word that a reply of Redis begins with: stable, where its sentence is not. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error && error instanceof ReplyError)) return undefined
  // What a script stumbles over is quoted in the script's own error.
  const match = /^(?:ERR )?([A-Z]+)\b/.exec(error.message)
  return match?.[1]
}

/** A script or a command that is wrong is a mistake of ours, and stays what it is. */
export function faultOf(error: unknown): unknown {
  if (error instanceof Unavailable) return error
  const code = codeOf(error)
  if (code !== undefined) return STATES.has(code) ? new Refused(code, error) : error
  return new Unavailable('Redis did not answer', { cause: withoutArguments(error) })
}

/** ioredis puts the command on its errors, with whatever it carried. */
function withoutArguments(error: unknown): unknown {
  if (typeof error === 'object' && error !== null && 'command' in error) delete error.command
  return error
}
