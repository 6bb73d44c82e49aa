import type { ClientFrame } from '@chatbox/protocol'
import { type ChatError, tokenError } from './errors.ts'
import { randomId } from './ids.ts'
import { type Cancel, later } from './later.ts'
import { expiryOf, type Tokens } from './tokens.ts'

export interface RenewalOptions {
  readonly tokens: Tokens
  readonly refreshAheadMs: number
  send(frame: ClientFrame): boolean
  onError(error: ChatError): void
}

/** Gives the server a new token before the old one expires, so that the connection need not be closed for it. */
export interface Renewal {
  /** From `ready`. */
  begin(expiresAt: number): void
  /** The server's clock, from a pong: this machine's may be wrong by hours. */
  clock(serverNow: number): void
  /** The server found the token too old already. */
  now(): void
  stop(): void
}

export function createRenewal(options: RenewalOptions): Renewal {
  // Tokens that live very long or clocks that are very wrong must not turn this into a tight loop.
  const leastMs = Math.min(1_000, options.refreshAheadMs)
  let skew = 0
  let lifetime = 0
  let expiresAt: number | undefined
  let cancel: Cancel | undefined
  let asking = false

  const schedule = () => {
    cancel?.()
    if (expiresAt === undefined) return
    const left = expiresAt - (Date.now() + skew)
    const wait = Math.max(left - options.refreshAheadMs, left / 2)
    cancel = later(Math.max(leastMs, wait), () => void renew())
  }

  const renew = async () => {
    if (asking) return
    asking = true
    try {
      const token = await options.tokens.ask(true)
      // Closed meanwhile: the next connection asks for itself.
      if (expiresAt === undefined) return
      options.send({ type: 'auth.refresh', token, requestId: randomId() })
      expiresAt = expiryOf(token) ?? Date.now() + skew + lifetime
    } catch (error) {
      options.onError(tokenError(error))
    } finally {
      asking = false
      schedule()
    }
  }

  return {
    begin(at) {
      expiresAt = at
      lifetime = Math.max(leastMs, at - (Date.now() + skew))
      schedule()
    },
    clock(serverNow) {
      skew = serverNow - Date.now()
      if (!asking) schedule()
    },
    now: () => void renew(),
    stop() {
      expiresAt = undefined
      cancel?.()
    },
  }
}
