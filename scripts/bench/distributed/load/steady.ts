import { serve } from '../../lib/child.ts'
import { sharedNow } from '../../lib/clock.ts'
import type { LeanSocket } from '../../lib/lean-socket.ts'
import { quantile } from '../../lib/quantile.ts'
import { stampIn } from '../stamp.ts'
import { join, settleIn, type Target, tokensFor } from './member.ts'

// A process of clients that come, stay, and count what they are sent.

export interface Opening extends Target {
  readonly users: readonly string[]
  readonly secret: string
}

export interface Received {
  readonly events: number
  /** From publishing to the client, in ms. */
  readonly p50: number
  readonly p99: number
}

export interface SteadyClients {
  /** Resolves when all are in, with how many had to try twice; rejects when one is not let in. */
  open(opening: Opening): Promise<number>
  /** Begins to count anew. */
  mark(none: undefined): void
  count(none: undefined): number
  received(none: undefined): Received
  /** Cuts all of them. */
  leave(none: undefined): void
}

let sockets: LeanSocket[] = []
let leaving = false
let delays: number[] = []
let lost: Error | undefined

function come(target: Target, user: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let inside = false
    join(
      target,
      { user, token, resume: undefined },
      {
        ready(_frame, socket) {
          inside = true
          sockets.push(socket)
          resolve()
        },
        event(frame) {
          const stamp = stampIn(frame)
          if (stamp) delays.push(sharedNow() - stamp.sentMs)
        },
        closed({ code, error }) {
          if (leaving) return
          const end = new Error(`a connection to ${target.dialect} ended with ${code} ${error ?? ''}`)
          if (inside) lost = end
          else reject(end)
        },
      },
    )
  })
}

function whole(): void {
  if (lost) throw lost
}

serve<SteadyClients>({
  async open({ users, secret, ...target }) {
    leaving = false
    const tokens = await tokensFor(users, secret)
    return settleIn(users, (user, i) => come(target, user, tokens[i] ?? ''))
  },
  mark() {
    delays = []
  },
  count() {
    whole()
    return delays.length
  },
  received() {
    whole()
    return { events: delays.length, p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) }
  },
  leave() {
    leaving = true
    for (const socket of sockets) socket.cut()
    sockets = []
  },
})
