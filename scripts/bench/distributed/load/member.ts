import { signToken } from '@chatbox/runtime'
import { type LeanEnd, type LeanSocket, openLeanSocket } from '../../lib/lean-socket.ts'
import { type DialectName, dialects, type Greeting } from './dialects.ts'

/** Where clients connect to, and how they speak there. */
export interface Target {
  readonly dialect: DialectName
  readonly url: string
  readonly origin: string | undefined
}

export interface MemberEvents {
  /** The frame that let it in. */
  ready(frame: Buffer, socket: LeanSocket): void
  event(frame: Buffer): void
  closed(end: LeanEnd): void
}

/** One device of one user. */
export function join({ dialect: name, url, origin }: Target, greeting: Greeting, events: MemberEvents): void {
  const dialect = dialects[name]
  let inside = false
  openLeanSocket(new URL(dialect.path, url).href, origin, {
    open(socket) {
      const first = dialect.first(greeting)
      if (first !== undefined) socket.send(first)
    },
    frame(bytes, socket) {
      if (!inside) {
        const { answer, ready } = dialect.greeted(bytes, greeting)
        if (answer !== undefined) socket.send(answer)
        if (ready) {
          inside = true
          events.ready(bytes, socket)
        } else if (answer === undefined) events.event(bytes)
        return
      }
      const answer = dialect.asked?.(bytes)
      if (answer === undefined) events.event(bytes)
      else socket.send(answer)
    },
    closed: (end) => events.closed(end),
  })
}

const HOUR_MS = 3_600_000

/** Made before anything is measured. */
export const tokensFor = (users: readonly string[], secret: string): Promise<string[]> =>
  Promise.all(users.map((userId) => signToken({ secret, userId, ttlMs: HOUR_MS })))

const OPENED_AT_ONCE = 50

/**
 * Opens a connection for each, so many at once. A handshake in some ten thousand ends without a word, after which any client tries
 * again, and so do these; the number of them is the result.
 */
export async function settleIn<T>(all: readonly T[], open: (one: T, i: number) => Promise<void>): Promise<number> {
  let next = 0
  let again = 0
  const worker = async () => {
    while (next < all.length) {
      const i = next++
      const one = all[i]
      if (one === undefined) continue
      await open(one, i).catch(() => {
        again += 1
        return open(one, i)
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(OPENED_AT_ONCE, all.length) }, worker))
  return again
}
