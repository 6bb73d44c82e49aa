import { serve } from '../../lib/child.ts'
import { sharedNow } from '../../lib/clock.ts'
import type { LeanSocket } from '../../lib/lean-socket.ts'
import { quantile } from '../../lib/quantile.ts'
import { stampIn } from '../stamp.ts'
import { join, settleIn, type Target, tokensFor } from './member.ts'

// A process of clients whose connections break again and again, and who count what they get and what they miss.

export interface Jitter {
  /** Each comes to these in turns. */
  readonly targets: readonly Target[]
  readonly users: readonly string[]
  readonly secret: string
  /** Say where they were. */
  readonly resume: boolean
  readonly everyMs: number
  readonly awayMs: number
}

export interface Jittered {
  /** Each event of each user once. */
  readonly delivered: number
  readonly twice: number
  /** Lower than one that had come before. */
  readonly outOfOrder: number
  readonly drops: number
  /** Came back, with a place to resume from, and were told to load again. */
  readonly unrecovered: number
  readonly refused: number
  readonly delay: Quantiles
  /** Without the time that the client was away of itself. */
  readonly delayWhileThere: Quantiles
}

export interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface JitteryClients {
  come(jitter: Jitter): Promise<void>
  /** From now on their connections break. */
  begin(none: undefined): void
  /** Nobody is cut any more; resolves when all are there. */
  calm(none: undefined): Promise<void>
  delivered(none: undefined): number
  report(none: undefined): Jittered
}

interface Client {
  readonly user: string
  readonly token: string
  socket: LeanSocket | undefined
  at: string | undefined
  /** When it last asked for a connection. */
  askedAt: number
  readonly seen: Set<number>
  highest: number
  moves: number
}

const AT = Buffer.from('{"at":"')
const QUOTE = 0x22
const REFUSED_AGAIN_MS = 100

let jitter: Jitter
let clients: Client[] = []
let breaking = false
const totals = { delivered: 0, twice: 0, outOfOrder: 0, drops: 0, unrecovered: 0, refused: 0 }
const delays: number[] = []
const delaysThere: number[] = []

function event(client: Client, frame: Buffer): void {
  const stamp = stampIn(frame)
  if (!stamp) return
  if (frame.compare(AT, 0, AT.length, 0, AT.length) === 0) {
    client.at = frame.toString('latin1', AT.length, frame.indexOf(QUOTE, AT.length))
  }
  if (client.seen.has(stamp.count)) {
    totals.twice += 1
    return
  }
  if (stamp.count < client.highest) totals.outOfOrder += 1
  client.seen.add(stamp.count)
  client.highest = Math.max(client.highest, stamp.count)
  totals.delivered += 1
  const now = sharedNow()
  delays.push(now - stamp.sentMs)
  delaysThere.push(now - Math.max(stamp.sentMs, client.askedAt))
}

function welcome(client: Client, frame: Buffer, resumed: boolean): void {
  const ready = JSON.parse(frame.toString()) as { at: string; recovered: boolean }
  if (resumed && !ready.recovered) totals.unrecovered += 1
  if (!resumed || !ready.recovered) client.at = ready.at
}

function open(client: Client): Promise<void> {
  const target = jitter.targets[client.moves++ % jitter.targets.length]
  if (!target) return Promise.reject(new Error('nowhere to go'))
  const resume = jitter.resume ? client.at : undefined
  client.askedAt = sharedNow()
  return new Promise((resolve, reject) => {
    join(
      target,
      { user: client.user, token: client.token, resume },
      {
        ready(frame, socket) {
          client.socket = socket
          welcome(client, frame, resume !== undefined)
          resolve()
        },
        event: (frame) => event(client, frame),
        closed({ code, error }) {
          const inside = client.socket !== undefined
          client.socket = undefined
          if (!inside) return reject(new Error(`${code} ${error ?? ''}`))
          setTimeout(() => comeBack(client), jitter.awayMs)
        },
      },
    )
  })
}

function comeBack(client: Client): void {
  open(client).then(
    () => plan(client, jitter.everyMs - jitter.awayMs),
    () => {
      totals.refused += 1
      setTimeout(() => comeBack(client), REFUSED_AGAIN_MS)
    },
  )
}

function plan(client: Client, afterMs: number): void {
  setTimeout(() => {
    if (!breaking) return
    totals.drops += 1
    client.socket?.cut()
  }, afterMs)
}

const quantilesOf = (samples: readonly number[]): Quantiles => ({
  p50: quantile(samples, 0.5),
  p99: quantile(samples, 0.99),
  max: quantile(samples, 1),
})

serve<JitteryClients>({
  async come(asked) {
    jitter = asked
    const tokens = await tokensFor(asked.users, asked.secret)
    clients = asked.users.map((user, i) => ({
      ...{ user, token: tokens[i] ?? '', socket: undefined, at: undefined, askedAt: 0 },
      ...{ seen: new Set<number>(), highest: 0, moves: i },
    }))
    await settleIn(clients, open)
  },
  begin() {
    breaking = true
    for (const client of clients) plan(client, Math.random() * jitter.everyMs)
  },
  async calm() {
    breaking = false
    while (clients.some(({ socket }) => socket === undefined)) await new Promise((resolve) => setTimeout(resolve, 100))
  },
  delivered: () => totals.delivered,
  report: () => ({ ...totals, delay: quantilesOf(delays), delayWhileThere: quantilesOf(delaysThere) }),
})
