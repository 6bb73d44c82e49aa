import { serve } from '../../lib/child.ts'
import { sharedNow } from '../../lib/clock.ts'
import { quantile } from '../../lib/quantile.ts'
import { join, settleIn, type Target, tokensFor } from './member.ts'

// A process of clients whose server is killed: each goes to another one, at once or as the protocol asks.

export interface Fleet extends Target {
  readonly users: readonly string[]
  readonly secret: string
}

export interface Returning {
  /** Where they go when their server has gone. */
  readonly to: Target
  /** Off: at once, and at once again. On: as docs/PROTOCOL.md says. */
  readonly spread: boolean
}

export interface Returned {
  readonly back: number
  /** From the moment their server was killed to the frame that let each in again, in ms. */
  readonly p50: number
  readonly p99: number
  readonly last: number
  /** Attempts that were told to come later, or failed. */
  readonly turnedAway: number
  /** The time that they were spread over: their own first delay, and the longest that one was told to wait. */
  readonly spreadMs: number
}

export interface ReturningClients {
  /** Resolves when all are in. */
  come(fleet: Fleet): Promise<void>
  /** All leave by themselves: their tokens are known here now. */
  leave(none: undefined): void
  /** From now on they come back by themselves. */
  returning(how: Returning): void
  /** How many are back by now. */
  count(none: undefined): number
  /** `killedAt` by the shared clock. */
  returned(killedAt: number): Returned
}

const BACKOFF = { baseMs: 1_000, capMs: 30_000 }
/** A refusal is repeated at once no faster than this, or the clients would do nothing else. */
const AT_ONCE_MS = 20
const RECONNECT = Buffer.from('"type":"reconnect"')

let cuts: (() => void)[] = []
let tokens: string[] = []
let known: { readonly users: readonly string[]; readonly secret: string } | undefined
let mode: Returning | 'stay' | 'leave' = 'stay'
let backAt: number[] = []
let turnedAway = 0
let longestToldMs = 0

async function come({ users, secret, ...target }: Fleet): Promise<void> {
  mode = 'stay'
  if (known?.users.length !== users.length || known.users[0] !== users[0]) tokens = await tokensFor(users, secret)
  known = { users, secret }
  cuts = []
  backAt = []
  turnedAway = 0
  longestToldMs = 0
  await settleIn(users, (user, i) => first(target, { user, token: tokens[i] ?? '' }))
}

interface Client {
  readonly user: string
  readonly token: string
}

function first(target: Target, client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    join(
      target,
      { ...client, resume: undefined },
      {
        ready(_frame, socket) {
          cuts.push(() => socket.cut())
          resolve()
        },
        event: () => undefined,
        closed({ code, error }) {
          if (mode === 'leave') return
          if (mode === 'stay') reject(new Error(`a connection ended with ${code} ${error ?? ''}`))
          else comeBack(mode, client, 0, undefined)
        },
      },
    )
  })
}

function comeBack(how: Returning, client: Client, tries: number, toldMs: number | undefined): void {
  const random = Math.random() * Math.min(BACKOFF.capMs, BACKOFF.baseMs * 2 ** tries)
  const wait = how.spread ? (toldMs ?? random) : tries === 0 ? 0 : AT_ONCE_MS
  if (wait === 0) again(how, client, tries)
  else setTimeout(() => again(how, client, tries), wait)
}

function again(how: Returning, client: Client, tries: number): void {
  let afterMs: number | undefined
  join(
    how.to,
    { ...client, resume: undefined },
    {
      ready(_frame, socket) {
        backAt.push(sharedNow())
        cuts.push(() => socket.cut())
      },
      event(frame) {
        if (frame.indexOf(RECONNECT) < 0) return
        afterMs = (JSON.parse(frame.toString()) as { afterMs: number }).afterMs
        longestToldMs = Math.max(longestToldMs, afterMs)
      },
      closed() {
        if (mode === 'leave') return
        turnedAway += 1
        comeBack(how, client, tries + 1, afterMs)
      },
    },
  )
}

serve<ReturningClients>({
  come,
  leave() {
    mode = 'leave'
    for (const cut of cuts) cut()
    cuts = []
  },
  returning(how) {
    mode = how
  },
  count: () => backAt.length,
  returned(killedAt) {
    const times = backAt.map((at) => at - killedAt)
    return {
      back: times.length,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      last: quantile(times, 1),
      turnedAway,
      spreadMs: BACKOFF.baseMs + longestToldMs,
    }
  },
})
