import { Unavailable } from '@chatbox/core'
import { ReplyError } from 'ioredis'

/** Where a server is. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Redis said no before it did anything: what was asked has not happened. */
export class Refused extends Unavailable {
  readonly code: string
  /** The server that the one asked sends to: for good with `MOVED`, for this once with `ASK`. */
  readonly target: Endpoint | undefined

  constructor(code: string, cause: unknown) {
    super(`Redis refuses: ${code}`, { cause })
    this.code = code
    this.target = targetOf(cause)
  }
}

function targetOf(cause: unknown): Endpoint | undefined {
  const match = cause instanceof Error ? /^(?:ASK|MOVED) \d+ (.+):(\d+)$/.exec(cause.message) : null
  return match?.[1] ? { host: match[1], port: Number(match[2]) } : undefined
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

/** A key that a script met was on its way to another server, so a part of what it does may be done. There is no code for it. */
const BETWEEN_SERVERS = /^ERR .*non local key/

/** A script or a command that is wrong is a mistake of ours, and stays what it is. */
export function faultOf(error: unknown): unknown {
  if (error instanceof Unavailable) return error
  const code = codeOf(error)
  if (code === 'ERR' && error instanceof Error && BETWEEN_SERVERS.test(error.message)) {
    return new Unavailable('the keys are on their way to another server', { cause: error })
  }
  if (code !== undefined) return STATES.has(code) ? new Refused(code, error) : error
  return new Unavailable('Redis did not answer', { cause: withoutArguments(error) })
}

/** Why there is none somebody has to mend: it has to be in the line that they read. By its code, because other words may quote an address. */
export function noConnection(cause: unknown): Unavailable {
  const why = cause instanceof Unfit ? cause.message : (codeOf(cause) ?? systemCodeOf(cause))
  return new Unavailable(`there is no connection to Redis${why === undefined ? '' : ` (${why})`}`, { cause })
}

const systemCodeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** A server that answers, and that we can't work with. */
export class Unfit extends Error {
  override readonly name = 'Unfit'
}

/** ioredis puts the command on its errors, with whatever it carried. */
function withoutArguments(error: unknown): unknown {
  if (typeof error === 'object' && error !== null && 'command' in error) delete error.command
  return error
}
